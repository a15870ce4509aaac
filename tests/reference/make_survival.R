# Reference numbers for durations: survival (Cox, parametric, Kaplan-Meier, frailty, tests of
# proportional hazards) and cmprsk (Fine and Gray).
#
#   Rscript tests/reference/make_survival.R [SAMPLES]     (R 4.2; survival, cmprsk, sandwich)
#
# reads models_data.csv beside this script and, where SAMPLES is given, sample_prd.csv.gz there;
# writes survival_reference.csv.
suppressMessages({library(survival); library(cmprsk); library(sandwich)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
samples <- commandArgs(trailingOnly = TRUE)
small <- read.csv(file.path(here, "models_data.csv"))
# durations with many ties, made from columns at hand (tests/models/survival_data.py does the same)
small$time <- floor(3 * abs(small$z)) + 1
small$start <- pmax(0, small$time - 1 - small$count %% 3)
small$cause <- ifelse(small$y == 1, 1, ifelse(small$count > 1, 2, 0))
small$half <- small$time - 0.3 * small$share
rows <- list()
add <- function(data, model, covariance, term, estimate, std_error = NA, loglik = NA, n = NA)
  rows[[length(rows) + 1]] <<- data.frame(data = data, model = model, covariance = covariance,
    term = term, estimate = unname(estimate), std_error = unname(std_error), loglik = loglik, n = n)
tight <- coxph.control(eps = 1e-13, iter.max = 100, toler.chol = 1e-15)
cox <- function(data, name, formula, frame, groups = NULL, ties = "efron", zph = FALSE, case = rep(1, nrow(frame))) {
  environment(formula) <- environment()
  m <- if (ties == "exact") coxph(formula, frame, ties = ties, control = tight) else
    coxph(formula, frame, ties = ties, control = tight, weights = case)
  se <- function(V) sqrt(diag(V))
  add(data, name, "classical", names(coef(m)), coef(m),
      se(if (is.null(m$naive.var)) vcov(m) else m$naive.var), m$loglik[2], m$nevent)
  if (ties == "exact") return(invisible(m))
  d <- residuals(m, type = "dfbeta", weighted = TRUE)
  add(data, name, "HC0", names(coef(m)), coef(m), se(crossprod(d)))
  for (g in groups) {
    s <- rowsum(d, frame[[g]])
    add(data, name, paste0("cluster(", g, "; none)"), names(coef(m)), coef(m), se(crossprod(s)))
  }
  add(data, name, "", "loglik_null", m$loglik[1])
  add(data, name, "", "score_test", m$score)
  if (zph) for (how in c("km", "identity", "rank", "log")) {
    z <- cox.zph(m, transform = how)$table
    add(data, paste0(name, "_zph_", how), "", rownames(z), z[, "chisq"], z[, "p"])
  }
  b <- basehaz(m, centered = FALSE)
  at <- round(seq(1, nrow(b), length.out = 5))
  add(data, paste0(name, "_basehaz"), "", format(b$time[at], trim = TRUE), b$hazard[at])
  invisible(m)
}
f <- ~ defense + lndist + share
small_s <- update(f, Surv(time, y) ~ .)
m <- cox("small", "cox_efron", small_s, small, c("ccode1", "region"), zph = TRUE)
new <- data.frame(defense = c(0, 1), lndist = 7, share = 0.5)
s <- summary(survfit(m, newdata = new, se.fit = TRUE), times = c(2, 5, 9))
add("small", "cox_efron_survival", "", paste(rep(1:2, each = 3), rep(s$time, 2)), c(s$surv),
    c(s$std.err))
mb <- cox("small", "cox_breslow", small_s, small, "ccode1", "breslow", zph = TRUE)
s <- summary(survfit(mb, newdata = new, se.fit = TRUE), times = c(2, 5, 9))
add("small", "cox_breslow_survival", "", paste(rep(1:2, each = 3), rep(s$time, 2)), c(s$surv),
    c(s$std.err))
cox("small", "cox_exact", small_s, small, ties = "exact")
cox("small", "cox_strata", update(f, Surv(time, y) ~ . + strata(region)), small, "ccode1", zph = FALSE)
cox("small", "cox_weights", small_s, small, "ccode1", case = small$w)
cox("small", "cox_weights_breslow", small_s, small, "ccode1", "breslow", case = small$w)
cox("small", "cox_start", update(f, Surv(start, time, y) ~ .), small, "ccode1", zph = TRUE)
cox("small", "cox_start_breslow", update(f, Surv(start, time, y) ~ .), small, "ccode1", "breslow")
cox("small", "cox_start_strata", update(f, Surv(start, time, y) ~ . + strata(region)), small, "ccode1")
cox("small", "cox_untied", update(f, Surv(half, y) ~ .), small, "ccode1")
frail <- function(data, name, formula, frame) {
  environment(formula) <- environment()
  m <- coxph(formula, frame, control = coxph.control(eps = 1e-11, iter.max = 200, outer.max = 100))
  k <- length(coef(m))
  k <- sum(!grepl("frailty|gamma|gauss", names(coef(m))))
  add(data, name, "classical", names(coef(m))[1:k], coef(m)[1:k], sqrt(diag(vcov(m)))[1:k], m$loglik[2])
  h <- m$history[[1]]
  add(data, name, "", "theta", h$theta)
  if (!is.null(h$c.loglik)) add(data, name, "", "integrated", h$c.loglik)
  add(data, name, "", "df", sum(m$df))
}
frail("small", "frailty_gamma", update(f, Surv(time, y) ~ . + frailty(ccode1, eps = 1e-9)), small)
frail("small", "frailty_gaussian", update(f, Surv(time, y) ~ . + frailty(ccode1, dist = "gauss")), small)
frail("small", "frailty_gamma_fixed", update(f, Surv(time, y) ~ . + frailty(ccode1, theta = 0.3)), small)
frail("small", "frailty_gaussian_fixed", update(f, Surv(time, y) ~ . + frailty(ccode1, dist = "gauss", theta = 0.3)), small)
# survival's default treats the frailties' block of the information as diagonal; this one doesn't
frail("small", "frailty_gamma_dense", update(f, Surv(time, y) ~ . + frailty(ccode1, theta = 0.3, sparse = FALSE)), small)
frail("small", "frailty_gaussian_dense", update(f, Surv(time, y) ~ . + frailty(ccode1, dist = "gauss", theta = 0.3, sparse = FALSE)), small)

aft <- function(data, name, formula, frame, dist, groups = NULL, case = rep(1, nrow(frame))) {
  environment(formula) <- environment()
  m <- survreg(formula, frame, dist = dist, control = survreg.control(rel.tolerance = 1e-13, maxiter = 200), weights = case)
  b <- c(coef(m), if (dist != "exponential") c("Log(scale)" = log(m$scale)))
  add(data, name, "classical", names(b), b, sqrt(diag(vcov(m))), m$loglik[2], nrow(frame))
  d <- residuals(m, type = "dfbeta")
  if (is.matrix(d) && ncol(d) == length(b)) {
    add(data, name, "HC0", names(b), b, sqrt(diag(crossprod(d))))
    for (g in groups)
      add(data, name, paste0("cluster(", g, "; none)"), names(b), b, sqrt(diag(crossprod(rowsum(d, frame[[g]])))))
  }
  m
}
for (dist in c("weibull", "exponential", "lognormal", "loglogistic")) {
  m <- aft("small", paste0("aft_", dist), small_s, small, dist, "ccode1")
  p <- predict(m, new, type = "quantile", p = c(0.25, 0.5), se.fit = TRUE)
  add("small", paste0("aft_", dist, "_quantile"), "", paste(rep(1:2, 2), rep(c(25, 50), each = 2)), c(p$fit), c(p$se.fit))
}
aft("small", "aft_weibull_weights", small_s, small, "weibull", case = small$w)

km <- summary(survfit(Surv(time, y) ~ 1, small), times = c(1, 3, 6, 9))
add("small", "km", "", format(km$time, trim = TRUE), km$surv, km$std.err)
km <- summary(survfit(Surv(start, time, y) ~ 1, small), times = c(1, 3, 6, 9))
add("small", "km_start", "", format(km$time, trim = TRUE), km$surv, km$std.err)
d <- survdiff(Surv(time, y) ~ region, small)
add("small", "logrank", "", "chisq", d$chisq)
d <- survdiff(Surv(time, y) ~ region, small, rho = 1)
add("small", "logrank_peto", "", "chisq", d$chisq)

g <- crr(small$half, small$cause, as.matrix(small[c("defense", "lndist", "share")]), maxiter = 100, gtol = 1e-12)
add("small", "fine_gray", "HC0", names(g$coef), g$coef, sqrt(diag(g$var)), g$loglik)
g <- crr(small$time, small$cause, as.matrix(small[c("defense", "lndist", "share")]), maxiter = 100, gtol = 1e-12)
add("small", "fine_gray_ties", "HC0", names(g$coef), g$coef, sqrt(diag(g$var)), g$loglik)
ci <- timepoints(cuminc(small$time, small$cause), c(2, 5, 9))
add("small", "cuminc", "", paste(rep(rownames(ci$est), 3), rep(c(2, 5, 9), each = 2)), c(ci$est), sqrt(c(ci$var)))

if (length(samples)) {
  prd <- read.csv(file.path(samples, "sample_prd.csv.gz"))
  prd$stop <- prd$t + 1
  f <- ~ defense + contig + lndist + jointdem + lncaprat
  spell <- update(f, Surv(t, stop, y) ~ .)
  cox("prd", "cox_efron", spell, prd, "dyad", zph = TRUE)
  cox("prd", "cox_breslow", spell, prd, "dyad", "breslow")
  cox("prd", "cox_right", update(f, Surv(stop, y) ~ .), prd, "dyad")
  cox("prd", "cox_strata", update(f, Surv(t, stop, y) ~ . + strata(contig) - contig), prd, "dyad")
  onset <- prd[prd$y == 1, ]
  onset$one <- 1
  dur <- update(f, Surv(mindur, one) ~ .)
  cox("onset", "cox_efron", dur, onset, "dyad", zph = TRUE)
  cox("onset", "cox_breslow", dur, onset, "dyad", "breslow")
  for (dist in c("weibull", "exponential", "lognormal", "loglogistic"))
    aft("onset", paste0("aft_", dist), dur, onset, dist, "dyad")
  frail("onset", "frailty_gamma", update(dur, . ~ . + frailty(ccode1, eps = 1e-9)), onset)
}
out <- do.call(rbind, rows)
numbers <- sapply(out, is.numeric)
out[numbers] <- lapply(out[numbers], function(x) ifelse(is.na(x), "", sprintf("%.15g", x)))
write.csv(out, file.path(here, "survival_reference.csv"), row.names = FALSE, quote = TRUE)
