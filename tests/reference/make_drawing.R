# Quantiles of R's own distributions at given chances: what an outcome drawn by inverting its
# distribution must be (tests/models/test_drawing.py). Run: Rscript tests/reference/make_drawing.R
u <- c(0.001, 0.05, 0.2, 0.5, 0.77, 0.95, 0.999)
eta <- c(-1.2, 0.3, 0.8, 1.1, -0.4, 0.1, 0.6)
sigma <- 0.8
made <- data.frame(
  u = u, eta = eta,
  poisson = qpois(u, exp(eta)),
  negbin = qnbinom(u, size = 2, mu = exp(eta)),
  # rows lie in the upper tail: P(T > t) = u
  cox = qexp(u, rate = 0.05 * exp(eta), lower.tail = FALSE),
  aft_weibull = qweibull(u, shape = 1 / sigma, scale = exp(eta), lower.tail = FALSE),
  aft_loglogistic = exp(qlogis(u, location = eta, scale = sigma)),
  weibull_hazard = qweibull(u, shape = exp(0.2), scale = exp(-eta), lower.tail = FALSE)
)
write.csv(format(made, digits = 15), "tests/reference/drawing_reference.csv",
          row.names = FALSE, quote = FALSE)
