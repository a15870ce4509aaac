# Reference numbers for the panel estimators, by plm and by lm with factors.
#
#   Rscript tests/reference/make_panel.R [SAMPLES]     (R 4.2; needs plm, sandwich, lmtest)
#
# reads models_data.csv beside this script and, where SAMPLES is given, sample_prd.csv.gz there;
# writes panel_reference.csv.
suppressMessages({library(plm); library(sandwich)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
samples <- commandArgs(trailingOnly = TRUE)
small <- read.csv(file.path(here, "models_data.csv"))
small$ddyad <- small$ccode1 * 1000 + small$ccode2
rows <- list()
keep <- function(data, name, covariance, b, V, n, loglik = NA) {
  rows[[length(rows) + 1]] <<- data.frame(
    data = data, model = name, covariance = covariance, term = names(b), estimate = unname(b),
    std_error = unname(sqrt(diag(V))), n = n, loglik = loglik)
}
keep_number <- function(data, name, what, value)
  rows[[length(rows) + 1]] <<- data.frame(data = data, model = name, covariance = "", term = what,
    estimate = value, std_error = NA, n = NA, loglik = NA)

# lm with dummies: what is absorbed is the same model
dummies <- function(data, frame, formula, name, groups, terms) {
  m <- lm(formula, frame)
  pick <- function(V) V[terms, terms]
  ll <- as.numeric(logLik(m))
  V <- list(classical = vcov(m), HC0 = vcovHC(m, "HC0"), HC1 = vcovHC(m, "HC1"))
  h <- hatvalues(m)
  if (max(h) < 1 - 1e-8) { V$HC2 <- vcovHC(m, "HC2"); V$HC3 <- vcovHC(m, "HC3") }
  for (g in groups) V[[paste0("cluster(", g, ")")]] <- vcovCL(m, frame[[g]])
  for (v in names(V)) keep(data, name, v, coef(m)[terms], pick(V[[v]]), nobs(m), ll)
}
terms <- c("defense", "lndist", "share")
base <- z ~ defense + lndist + share
dummies("small", small, update(base, . ~ . + factor(ccode1)), "fe_one", c("ccode1", "ccode2"), terms)
dummies("small", small, update(base, . ~ . + factor(ccode1) + factor(year)), "fe_two", c("ccode1", "year"), terms)
dummies("small", small, update(base, . ~ . + factor(ccode1) + factor(ccode2) + factor(year)),
        "fe_three", "ccode1", terms)

plms <- function(data, frame, formula, index) {
  p <- pdata.frame(frame, index = index)
  for (effect in c("individual", "time", "twoways")) {
    m <- plm(formula, p, model = "within", effect = effect)
    keep(data, paste0("within_", effect), "classical", coef(m), vcov(m), nobs(m))
    for (method in c("swar", "amemiya", "walhus", "nerlove")) {
      if (effect == "twoways" && method == "nerlove") next
      m <- tryCatch(plm(formula, p, model = "random", effect = effect, random.method = method),
                    error = function(e) { cat(data, effect, method, conditionMessage(e), "\n"); NULL })
      if (is.null(m)) next
      name <- paste("random", effect, method, sep = "_")
      keep(data, name, "classical", coef(m), vcov(m), nobs(m))
      s <- ercomp(m)$sigma2
      for (w in names(s)) keep_number(data, name, paste0("sigma2_", w), s[[w]])
    }
    if (effect != "twoways") {
      m <- plm(formula, p, model = "between", effect = effect)
      keep(data, paste0("between_", effect), "classical", coef(m), vcov(m), nobs(m))
    }
  }
  m <- plm(formula, p, model = "fd")
  keep(data, "fd", "classical", coef(m), vcov(m), nobs(m))
  w <- plm(formula, p, model = "within"); r <- plm(formula, p, model = "random")
  h <- phtest(w, r)
  keep_number(data, "hausman", "chisq", unname(h$statistic))
  keep_number(data, "hausman", "p", unname(h$p.value))
  keep_number(data, "hausman", "df", unname(h$parameter))
  for (type in c("HC0", "HC1", "sss"))
    keep(data, paste0("within_arellano_", type), "arellano", coef(w), vcovHC(w, type = type), nobs(w))
  keep(data, "random_arellano", "arellano", coef(r), vcovHC(r), nobs(r))
  # panel-corrected standard errors of Beck and Katz need a pooled model
  o <- plm(formula, p, model = "pooling")
  keep(data, "pooling_bk", "beck_katz", coef(o), vcovBK(o, cluster = "time"), nobs(o))
}
plms("small", small, base, c("ddyad", "year"))
if (length(samples)) {
  prd <- read.csv(file.path(samples, "sample_prd.csv.gz"))
  f <- y ~ defense + contig + lndist + jointdem + lncaprat + t + t2 + t3
  plms("prd", prd, f, c("dyad", "year"))
}
out <- do.call(rbind, rows)
numbers <- sapply(out, is.numeric)
out[numbers] <- lapply(out[numbers], function(x) ifelse(is.na(x), "", sprintf("%.15g", x)))
write.csv(out, file.path(here, "panel_reference.csv"), row.names = FALSE, quote = TRUE)
