# Reference numbers of tests/models/test_pooling.py: random-effects means by their formulas, with
# optimize() on the restricted likelihood written out as a multivariate normal one (no meta-analysis
# package is at hand), and p.adjust() of R's own for many comparisons.
# Run: Rscript make_pooling.R > pooling_reference.csv
samples <- list(
  spread = list(y = c(-0.45, 0.12, -0.88, 0.31, -0.20, -0.61, 0.05),
                s = c(0.10, 0.15, 0.30, 0.12, 0.08, 0.25, 0.40)),
  alike = list(y = c(0.21, 0.25, 0.18, 0.24), s = c(0.2, 0.3, 0.25, 0.4)),
  two = list(y = c(-0.5, 0.9), s = c(0.2, 0.3)),
  far = list(y = c(4.1, -2.2, 0.3, 7.5, 1.1, -0.4), s = c(0.5, 0.9, 0.2, 2.5, 0.7, 0.3))
)
restricted <- function(t2, y, v) {       # log-likelihood of contrasts K'y, K orthogonal to 1
  n <- length(y)
  K <- qr.Q(qr(cbind(1, diag(n))[, 1:n]))[, -1, drop = FALSE]
  V <- t(K) %*% diag(v + t2) %*% K
  r <- t(K) %*% y
  -0.5 * (determinant(V)$modulus + t(r) %*% solve(V, r))
}
say <- function(sample, method, name, value)
  cat(sprintf("%s,%s,%s,%.15g\n", sample, method, name, value))
cat("sample,method,quantity,value\n")
for (name in names(samples)) {
  y <- samples[[name]]$y; v <- samples[[name]]$s^2; k <- length(y)
  w <- 1 / v; m <- sum(w * y) / sum(w); Q <- sum(w * (y - m)^2)
  dl <- max(0, (Q - (k - 1)) / (sum(w) - sum(w^2) / sum(w)))
  top <- optimize(function(t) restricted(t, y, v), c(0, 100), maximum = TRUE, tol = 1e-13)$maximum
  for (turn in 1:40) {                   # numerical Newton steps on the same function
    h <- 1e-4 * (top + min(v))
    f <- sapply(top + c(-h, 0, h), restricted, y = y, v = v)
    step <- (f[3] - f[1]) / 2 * h / (f[1] - 2 * f[2] + f[3])
    if (!is.finite(step) || top - step <= 0) break
    top <- top - step
  }
  if (restricted(0, y, v) >= restricted(top, y, v)) top <- 0
  for (method in c("reml", "dl")) {
    t2 <- if (method == "reml") top else dl
    w2 <- 1 / (v + t2); mu <- sum(w2 * y) / sum(w2)
    kh <- max(1, sum(w2 * (y - mu)^2) / (k - 1))
    se <- sqrt(kh / sum(w2))
    typical <- (k - 1) * sum(w) / (sum(w)^2 - sum(w^2))
    say(name, method, "tau2", t2); say(name, method, "estimate", mu)
    say(name, method, "std_error", se)
    say(name, method, "ci_low", mu - qt(.975, k - 1) * se)
    say(name, method, "ci_high", mu + qt(.975, k - 1) * se)
    say(name, method, "p_value", 2 * pt(-abs(mu) / se, k - 1))
    say(name, method, "q", Q); say(name, method, "q_p", pchisq(Q, k - 1, lower.tail = FALSE))
    say(name, method, "i2", t2 / (t2 + typical))
    say(name, method, "bound", sum(w2 * sqrt(v + t2)) / sum(w2))
    if (k >= 3) {
      say(name, method, "predict_low", mu - qt(.975, k - 2) * sqrt(t2 + se^2))
      say(name, method, "predict_high", mu + qt(.975, k - 2) * sqrt(t2 + se^2))
    }
  }
}
p <- c(0.01, 0.04, 0.03, 0.005, 0.6, 0.04, 1)
for (method in c("holm", "BH")) {
  a <- p.adjust(p, method)
  for (i in seq_along(p)) say("p", method, i, a[i])
}
