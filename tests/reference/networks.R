# What R itself says of replication/alliances.RData, for tests/real/test_sources.py:
#   Rscript networks.R path/to/alliances.RData
load(commandArgs(TRUE)[1])
above <- function(m) sum(m[upper.tri(m)])
val <- function(name) sapply(allyNet, function(n) sapply(n$val, function(v) v[[name]]))
cat("allied", sum(sapply(allyNet, function(n) length(n$mel))), "\n")
cat("allied_before", sum(sapply(lNet, above)), "\n")
cat("shared_before", sum(sapply(LSP, above)), "\n")
cat("dispute", sum(sapply(warNet, above)), "\n")
cat("contiguous", length(allyNet) * above(contigMat), "\n")
cat("polity", sum(val("polity")), "cinc", format(sum(val("cinc")), digits = 17), "\n")
