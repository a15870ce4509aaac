# Reference numbers for tails, by poweRlaw (Gillespie 2015) above given thresholds.
#
#   Rscript tests/reference/make_tails.R      (R 4.2; poweRlaw)
#
# The values are those of tests/models/test_tail_laws.py: rounded quantiles of a Pareto law.
suppressMessages(library(poweRlaw))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
x <- round(1000 * (1 - (1:95 - 0.5) / 95)^(-1 / 0.6) * (1 + 0.2 * sin(1:95)))
rows <- list()
for (xmin in 1500) for (kind in c("conpl", "displ", "conlnorm", "dislnorm", "conweibull")) {
  m <- get(kind)$new(x); m$setXmin(xmin)
  p <- estimate_pars(m)$pars
  # poweRlaw's own search stops early; start it again where it stopped
  for (turn in 1:4) {
    f <- function(q) { if (kind %in% c("conlnorm", "dislnorm") && q[2] <= 0 || any(q[length(q)] <= 0)) return(1e10); n <- m$copy(); n$setPars(q); v <- -dist_ll(n); if (is.finite(v)) v else 1e10 }
    p <- if (length(p) == 1) optimize(f, c(p * 0.2, p * 1.5), tol = 1e-10)$minimum else
      optim(p, f, control = list(reltol = 1e-15, maxit = 5000))$par
  }
  m$setPars(p)
  rows[[length(rows) + 1]] <- data.frame(kind = kind, xmin = xmin, parameter = seq_along(p),
    estimate = sprintf("%.12g", p), loglik = sprintf("%.12g", dist_ll(m)))
}
for (xmin in c(1500, 3000)) {
  a <- conpl$new(x); a$setXmin(xmin); a$setPars(estimate_pars(a))
  b <- conexp$new(x); b$setXmin(xmin); b$setPars(1 / mean(x[x >= xmin] - xmin))
  v <- compare_distributions(a, b)
  rows[[length(rows) + 1]] <- data.frame(kind = "vuong_conpl_conexp", xmin = xmin, parameter = 1:2,
    estimate = sprintf("%.12g", c(v$test_statistic, v$p_two_sided)), loglik = "")
}
write.csv(do.call(rbind, rows), file.path(here, "tails_reference.csv"), row.names = FALSE, quote = FALSE)
