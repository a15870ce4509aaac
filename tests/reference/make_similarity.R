# Scores of alliance portfolios by base R, for tests/covariates/test_similarity_scores.py.
# Run from the repository's root: Rscript tests/reference/make_similarity.R
# Writes tests/reference/similarity_portfolios.csv and similarity_reference.csv.
# tau-b is R's own (cor with method "kendall"); S, kappa and pi are written out by their formulas.

set.seed(20)
n <- 12
level <- matrix(sample(0:3, n * n, replace = TRUE, prob = c(6, 1, 1, 2)), n, n)
level[lower.tri(level)] <- t(level)[lower.tri(level)]
diag(level) <- 3
weight <- round(runif(n), 3)
write.csv(cbind(weight = weight, as.data.frame(level)),
          "tests/reference/similarity_portfolios.csv", row.names = FALSE)

variance <- function(x) mean((x - mean(x))^2)
rows <- list()
for (i in 1:n) for (j in 1:n) {
  if (i >= j) next
  x <- level[i, ]
  y <- level[j, ]
  observed <- mean((x - y)^2)
  apart <- (mean(x) - mean(y))^2
  own <- variance(x) + variance(y)
  rows[[length(rows) + 1]] <- data.frame(
    i = i - 1, j = j - 1,
    s = 1 - 2 * sum(abs(x - y)) / (3 * n),
    s_squared = 1 - 2 * sum((x - y)^2) / (9 * n),
    s_weighted = 1 - 2 * sum(weight * abs(x - y)) / (3 * sum(weight)),
    kappa = 1 - observed / (own + apart),
    pi = 1 - observed / (own + apart / 2),
    tau_b = cor(x, y, method = "kendall")
  )
}
write.csv(do.call(rbind, rows), "tests/reference/similarity_reference.csv", row.names = FALSE)
