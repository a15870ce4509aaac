# Where R's optim ends by default (Nelder-Mead), for tests/models/test_search.py.
#   Rscript make_search.R > search_reference.csv
options(digits = 17)
banana <- function(p) 100 * (p[2] - p[1]^2)^2 + (1 - p[1])^2
quartic <- function(p) sum((p - c(1, 2, 3, 4))^4) + abs(p[1] * p[2])
edge <- function(p) sum(log1p(exp(-p))) + 0.3 * p[3]^2
half <- function(p) if (p[1] < 0.5) NaN else sum((p - 1)^2) + p[1]^4
cases <- list(
  list("banana", banana, c(-1.2, 1)), list("quartic", quartic, c(0, 0, 0, 0)),
  list("edge", edge, c(0, 0, 0)), list("half", half, c(2, -3))
)
cat("name,evaluations,code,value,at,x\n")
for (one in cases) {
  found <- optim(one[[3]], one[[2]])
  for (at in seq_along(found$par)) {
    cat(one[[1]], found$counts[1], found$convergence, format(found$value, digits = 17), at,
        format(found$par[at], digits = 17), sep = ",")
    cat("\n")
  }
}
