# Answers of MASS::rlm for tests/models/test_huber.py.
# Run in this folder: Rscript make_huber.R
library(MASS)
set.seed(7)
n <- 60
x <- round(rnorm(n), 3)
w <- as.integer(runif(n) < 0.4)
y <- round(1 + 0.5 * x - 0.8 * w + rnorm(n), 3)
y[c(3, 17, 40)] <- y[c(3, 17, 40)] + c(9, -12, 15)
write.csv(data.frame(y, x, w), "huber_data.csv", row.names = FALSE, quote = FALSE)
rows <- NULL
for (acc in c(1e-4, 1e-12)) {
  m <- rlm(y ~ x + w, acc = acc, maxit = 500)
  s <- summary(m)$coefficients
  rows <- rbind(rows, data.frame(accuracy = acc, term = rownames(s), estimate = s[, 1],
                                 std_error = s[, 2], scale = m$s))
}
rows$estimate <- sprintf("%.12f", rows$estimate)
rows$std_error <- sprintf("%.12f", rows$std_error)
rows$scale <- sprintf("%.12f", rows$scale)
write.csv(rows, "huber_reference.csv", row.names = FALSE, quote = FALSE)
