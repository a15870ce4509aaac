# R's answers on the public samples, beyond those that come with them: glm, lm, MASS, sandwich,
# splines, and the dyadic covariance from its definition.
#
#   Rscript tests/reference/make_models_samples.R SAMPLES      (R 4.2; needs sandwich and MASS)
#
# SAMPLES is the folder of sample_*.csv.gz; writes models_samples.csv beside this script.
suppressMessages({library(sandwich); library(MASS); library(splines)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
samples <- commandArgs(trailingOnly = TRUE)[1]
read <- function(name) read.csv(gzfile(file.path(samples, paste0("sample_", name, ".csv.gz"))))

# meat = sum_c S_c S_c' - sum_d S_d S_d' over states c and unordered dyads d
dyadic <- function(model, frame) {
  s <- estfun(model)
  states <- unique(c(frame$ccode1, frame$ccode2)); meat <- 0
  for (c in states) meat <- meat + tcrossprod(colSums(s[frame$ccode1 == c | frame$ccode2 == c, , drop = FALSE]))
  d <- rowsum(s, paste(pmin(frame$ccode1, frame$ccode2), pmax(frame$ccode1, frame$ccode2)))
  b <- bread(model) / nrow(s)
  b %*% (meat - crossprod(d)) %*% b
}
clusters <- function(model, label, by, frame) {
  made <- list(vcovCL(model, frame[by]), vcovCL(model, frame[by], type = "HC0", cadjust = FALSE),
               vcovCL(model, frame[by], type = "HC0"), vcovCL(model, frame[by], type = "HC1"))
  names(made) <- paste0("cluster(", label, c("", "; none", "; clusters", "; clusters_and_terms"), ")")
  made
}

rows <- list()
keep <- function(model, sample, name, formula, estimator, frame, one = NULL, two = NULL, dyads = FALSE) {
  made <- list(classical = vcov(model))
  for (kind in paste0("HC", 0:3)) made[[kind]] <- vcovHC(model, kind)
  if (!is.null(one)) made <- c(made, clusters(model, one, one, frame))
  if (!is.null(two)) made <- c(made, clusters(model, paste(two, collapse = ","), two, frame))
  if (dyads) made[["dyadic"]] <- dyadic(model, frame)
  for (cov in names(made)) rows[[length(rows) + 1]] <<- data.frame(
    sample = sample, model = name, estimator = estimator, formula = formula, covariance = cov,
    term = names(coef(model)), estimate = unname(coef(model)),
    std_error = unname(sqrt(diag(made[[cov]]))),
    loglik = if (grepl("^quasi", estimator)) NA else as.numeric(logLik(model)), n = nobs(model),
    theta = if (is.null(model$theta)) NA else model$theta)
}
# glm's Fisher scoring converges linearly for links that are not canonical: its usual criterion, and
# even one of 1e-14, stop some 1e-5 standard errors short. So it takes 60 steps, whatever it thinks
tight <- glm.control(epsilon = 1e-14, maxit = 200)
fit <- function(formula, family, frame) suppressWarnings(
  glm(as.formula(formula), family, frame, control = glm.control(epsilon = 1e-30, maxit = 60)))

prd <- read("prd"); prd$decade <- prd$year %/% 10 * 10
rhs <- "defense + contig + lndist + jointdem + lncaprat"
cubic <- paste("y ~", rhs, "+ t + t2 + t3")
two <- c("ccode1", "ccode2")
both <- function(model, ...) keep(model, "prd", ..., frame = prd, one = "dyad", two = two, dyads = TRUE)
both(fit(cubic, binomial, prd), "logit_cubic", cubic, "logit")
both(fit(cubic, binomial("probit"), prd), "probit_cubic", cubic, "probit")
both(fit(cubic, binomial("cloglog"), prd), "cloglog_cubic", cubic, "cloglog")
f <- paste("y ~", rhs, "+ ns(t, knots = c(1, 4, 7))")
both(fit(f, binomial, prd), "logit_spline", f, "logit")
f <- paste("y ~", rhs, "+ bs(t, df = 5)")
both(fit(f, binomial("probit"), prd), "probit_bs", f, "probit")
f <- paste("y ~ defense * contig + lndist + t + factor(decade)")
later <- prd[prd$decade >= 1950, ]
keep(fit(f, binomial, later), "prd", "logit_decades", f, "logit", later, "dyad", two, TRUE)
both(lm(as.formula(cubic), prd), "lpm", cubic, "ols")
f <- paste("y_war ~", rhs, "+ I(t^2) + log(t + 1)")
war <- prd[!is.na(prd$y_war), ]
keep(fit(f, binomial, war), "prd", "logit_war", f, "logit", war, "dyad", two, TRUE)
keep(fit(f, binomial("cloglog"), war), "prd", "cloglog_war", f, "cloglog", war, "dyad", two, TRUE)
f <- paste("y ~", rhs, "+ poly(t, 3)")
keep(fit(f, poisson, prd), "prd", "poisson_prd", f, "poisson", prd, "dyad", two, TRUE)

symid <- read("symid")
f <- "n_onset ~ cowmaj + polity2 + land + sea + n_def + lncinc + yr"
state <- function(model, ...) keep(model, "symid", ..., frame = symid, one = "ccode", two = c("ccode", "year"))
state(fit(f, poisson, symid), "poisson", f, "poisson")
state(fit(f, quasipoisson, symid), "quasipoisson", f, "quasipoisson")
state(glm.nb(as.formula(f), symid, control = tight), "negbin", f, "negbin")
state(lm(as.formula(f), symid), "ols", f, "ols")
f <- "I(n_onset > 0) ~ cowmaj * polity2 + land + n_def + ns(yr, df = 4)"
state(fit(f, binomial, symid), "logit", f, "logit")
state(fit(f, binomial("probit"), symid), "probit", f, "probit")

part <- read("warpart")
f <- "log(batdeath + 1) ~ initiator + nopp + nstates + log(cinc) + nyears"
here_part <- part[complete.cases(part[c("batdeath", "initiator", "nopp", "nstates", "cinc", "nyears")]) & part$cinc > 0 & part$batdeath >= 0, ]
keep(lm(as.formula(f), here_part), "warpart", "deaths_ols", f, "ols", here_part, "warnum", c("warnum", "ccode"))
f <- "initiator ~ nopp + log(cinc) + factor(side)"
here_part <- part[complete.cases(part[c("initiator", "nopp", "cinc", "side")]) & part$cinc > 0, ]
keep(fit(f, binomial, here_part), "warpart", "initiator_logit", f, "logit", here_part, "warnum", c("warnum", "ccode"))
f <- "nopp ~ initiator + log(cinc) + nyears"
here_part <- part[complete.cases(part[c("initiator", "nopp", "cinc", "nyears")]) & part$cinc > 0, ]
keep(glm.nb(as.formula(f), here_part, control = tight), "warpart", "opponents_negbin", f, "negbin", here_part, "warnum")
keep(fit(f, poisson, here_part), "warpart", "opponents_poisson", f, "poisson", here_part, "warnum", c("warnum", "ccode"))

wars <- read("wars")
f <- "nstates ~ nyears + I(log(maxcinc)) + I((y0 - 1900)/100)"
keep(glm.nb(as.formula(f), wars, control = tight), "wars", "nstates_negbin", f, "negbin", wars)
keep(fit(f, poisson, wars), "wars", "nstates_poisson", f, "poisson", wars)
f <- "log(deaths) ~ nstates + nyears + log(maxcinc)"
keep(lm(as.formula(f), wars), "wars", "deaths_ols", f, "ols", wars)

out <- do.call(rbind, rows)
numbers <- sapply(out, is.numeric)
out[numbers] <- lapply(out[numbers], function(x) sprintf("%.12g", x))
write.csv(out, file.path(here, "models_samples.csv"), row.names = FALSE, quote = TRUE)
