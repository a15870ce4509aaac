# Reference numbers for coefficients that change with the log of time: survival's coxph on rows that
# survSplit cuts at every event time.
#
#   Rscript tests/reference/make_cox_varying.R     (R 4.2; survival)
#
# reads models_data.csv beside this script; writes cox_varying_reference.csv.
suppressMessages(library(survival))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
small <- read.csv(file.path(here, "models_data.csv"))
# durations with many ties, as make_survival.R and tests/models/test_survival.py have them
small$time <- floor(3 * abs(small$z)) + 1
small$start <- pmax(0, small$time - 1 - small$count %% 3)
small$id <- seq_len(nrow(small))
rows <- list()
tight <- coxph.control(eps = 1e-13, iter.max = 100, toler.chol = 1e-15)
varying <- function(name, spell, ties, extra = NULL) {
  cut <- sort(unique(small$time[small$y == 1]))
  long <- survSplit(update(spell, . ~ defense + lndist + share + region + ccode1 + w + id), small, cut = cut,
                    start = "from", end = "time", event = "y")
  long$later <- long$defense * log(long$time)
  long$far <- long$lndist * log(long$time)
  formula <- Surv(from, time, y) ~ defense + lndist + share + later + far
  if (!is.null(extra)) formula <- update(formula, extra)
  environment(formula) <- environment()
  m <- coxph(formula, long, ties = ties, control = tight)
  d <- rowsum(residuals(m, type = "dfbeta"), long$id)
  g <- rowsum(residuals(m, type = "dfbeta"), long$ccode1)
  errors <- list(classical = vcov(m), HC0 = crossprod(d), "cluster(ccode1; none)" = crossprod(g))
  for (covariance in names(errors))
    rows[[length(rows) + 1]] <<- data.frame(model = name, covariance = covariance, term = names(coef(m)),
      estimate = unname(coef(m)), std_error = sqrt(diag(errors[[covariance]])), loglik = m$loglik[2])
}
varying("efron", Surv(time, y) ~ ., "efron")
varying("breslow", Surv(time, y) ~ ., "breslow")
varying("strata", Surv(time, y) ~ ., "efron", . ~ . + strata(region))
varying("start", Surv(start, time, y) ~ ., "efron")
out <- do.call(rbind, rows)
for (column in c("estimate", "std_error", "loglik")) out[[column]] <- format(out[[column]], digits = 15, trim = TRUE)
write.csv(out, file.path(here, "cox_varying_reference.csv"), row.names = FALSE)
