# Reference numbers for sample selection and pairs of probits. Debian has no sampleSelection, so
# likelihoods are written out here from their definitions and maximised by Newton's method
# with numerical derivatives by Richardson extrapolation, and Heckman's two steps with their
# corrected covariance by matrix algebra.
#
#   Rscript tests/reference/make_selection.R [SAMPLES]     (R 4.2; numDeriv, statmod)
suppressMessages({library(numDeriv); library(statmod)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
samples <- commandArgs(trailingOnly = TRUE)
small <- read.csv(file.path(here, "models_data.csv"))
rows <- list()
add <- function(data, model, covariance, term, estimate, std_error = NA, loglik = NA)
  rows[[length(rows) + 1]] <<- data.frame(data = data, model = model, covariance = covariance,
    term = term, estimate = unname(estimate), std_error = unname(std_error), loglik = loglik)

two_step <- function(data, frame, select, outcome, information = "expected") {
  p <- glm(select, binomial("probit"), frame, control = glm.control(1e-14, 100))
  Z <- model.matrix(p); s <- p$y == 1
  eta <- drop(Z %*% coef(p))
  imr <- dnorm(eta) / pnorm(eta)
  frame$invMillsRatio <- imr
  o <- lm(update(outcome, . ~ . + invMillsRatio), frame[s, ])
  d <- (imr * (imr + eta))[s]
  W <- model.matrix(o); b <- coef(o)
  sigma2 <- mean(resid(o)^2) + b["invMillsRatio"]^2 * mean(d)
  rho2 <- b["invMillsRatio"]^2 / sigma2
  V <- vcov(p)
  if (information == "observed") {
    q <- 2 * p$y - 1; l <- q * dnorm(eta) / pnorm(q * eta)
    V <- solve(crossprod(Z, l * (l + eta) * Z))
  }
  A <- solve(crossprod(W)); C <- crossprod(W, d * Z[s, ])
  vc <- c(sigma2) * A %*% (crossprod(W, c(1 - rho2 * d) * W) + c(rho2) * C %*% V %*% t(C)) %*% A
  name <- paste0("heckman_two_step_", information)
  add(data, name, "classical", names(b), b, sqrt(diag(vc)))
  add(data, name, "", c("sigma", "rho"), c(sqrt(sigma2), b["invMillsRatio"] / sqrt(sigma2)))
  list(p = coef(p), b = b[names(b) != "invMillsRatio"], sigma = sqrt(sigma2),
       rho = b["invMillsRatio"] / sqrt(sigma2))
}

# Newton's method with numerical derivatives, steps halved until the likelihood rises; on columns
# of one size, because numDeriv's steps know nothing of t cubed
spread <- function(X) apply(X, 2, function(x) if (sd(x) > 0) sqrt(mean(x^2)) else 1)
climb <- function(rowwise, start, size) {
  inner <- rowwise
  rowwise <- function(q) inner(q / size)
  start <- start * size
  total <- function(p) sum(rowwise(p))
  p <- start
  for (turn in 1:30) {
    g <- grad(total, p); H <- hessian(total, p)
    step <- -drop(solve(H, g))
    if (sum(g * step) < 0) step <- g / sqrt(sum(g^2)) * 0.1
    now <- total(p)
    while (total(p + step) < now - 1e-9) step <- step / 2
    p <- p + step
    if (abs(sum(g * step)) < 1e-12) break
  }
  list(p = p / size, V = solve(-hessian(total, p)) / outer(size, size),
       S = sweep(jacobian(rowwise, p), 2, size, "*"), ll = total(p))
}
robust <- function(m, groups) m$V %*% crossprod(rowsum(m$S, groups)) %*% m$V

heckman <- function(data, frame, select, outcome, groups) {
  start <- two_step(data, frame, select, outcome)
  two_step(data, frame, select, outcome, "observed")
  Z <- model.matrix(select, frame); s <- model.response(model.frame(select, frame)) == 1
  X <- model.matrix(outcome, frame[s, ]); y <- model.response(model.frame(outcome, frame[s, ]))
  k <- ncol(Z); m <- ncol(X)
  rowwise <- function(p) {
    g <- drop(Z %*% p[1:k]); e <- y - drop(X %*% p[k + 1:m])
    sigma <- p[k + m + 1]; rho <- p[k + m + 2]
    if (sigma <= 0 || abs(rho) >= 1) return(rep(-1e4, nrow(Z)))
    ll <- pnorm(-g, log.p = TRUE)
    ll[s] <- dnorm(e, 0, sigma, log = TRUE) +
      pnorm((g[s] + rho * e / sigma) / sqrt(1 - rho^2), log.p = TRUE)
    ll
  }
  fit <- climb(rowwise, unname(c(start$p, start$b, start$sigma, max(-.8, min(.8, start$rho)))), c(spread(Z), spread(X), 1, 1))
  names <- c(paste0("selection:", colnames(Z)), paste0("outcome:", colnames(X)), "sigma", "rho")
  add(data, "heckman", "classical", names, fit$p, sqrt(diag(fit$V)), fit$ll)
  add(data, "heckman", "cluster; none", names, fit$p, sqrt(diag(robust(fit, frame[[groups]]))))
}
# P(X < a, Y < b) as the integral over x of phi(x) Phi((b - r x) / sqrt(1 - r^2)), 120 Gauss nodes
# (VGAM's pbinorm is good to 1e-7 only, which second differences turn into noise)
nodes <- gauss.quad(120, "legendre")
pnorm2 <- function(a, b, r) {
  r <- rep_len(r, length(a)); low <- -8.5; a <- pmax(a, low + 1e-6)
  half <- (a - low) / 2
  total <- 0
  for (j in seq_along(nodes$nodes)) {
    x <- low + half * (nodes$nodes[j] + 1)
    total <- total + nodes$weights[j] * dnorm(x) * pnorm((b - r * x) / sqrt(1 - r^2))
  }
  total * half
}
biprobit <- function(data, frame, one, two, groups) {
  X1 <- model.matrix(one, frame); X2 <- model.matrix(two, frame)
  q1 <- 2 * model.response(model.frame(one, frame)) - 1
  q2 <- 2 * model.response(model.frame(two, frame)) - 1
  k <- ncol(X1); m <- ncol(X2)
  rowwise <- function(p) {
    r <- p[k + m + 1]
    if (abs(r) >= 1) return(rep(-1e4, nrow(X1)))
    log(pnorm2(q1 * drop(X1 %*% p[1:k]), q2 * drop(X2 %*% p[k + 1:m]), q1 * q2 * r))
  }
  start <- c(coef(glm(one, binomial("probit"), frame)), coef(glm(two, binomial("probit"), frame)), 0)
  fit <- climb(rowwise, unname(start), c(spread(X1), spread(X2), 1))
  names <- c(paste0("first:", colnames(X1)), paste0("second:", colnames(X2)), "rho")
  add(data, "bivariate_probit", "classical", names, fit$p, sqrt(diag(fit$V)), fit$ll)
  add(data, "bivariate_probit", "cluster; none", names, fit$p, sqrt(diag(robust(fit, frame[[groups]]))))
}
selection_probit <- function(data, frame, select, outcome, groups) {
  Z <- model.matrix(select, frame); s <- model.response(model.frame(select, frame)) == 1
  X <- model.matrix(outcome, frame[s, ]); q <- 2 * model.response(model.frame(outcome, frame[s, ])) - 1
  k <- ncol(Z); m <- ncol(X)
  rowwise <- function(p) {
    g <- drop(Z %*% p[1:k]); r <- p[k + m + 1]
    if (abs(r) >= 1) return(rep(-1e4, nrow(Z)))
    ll <- pnorm(-g, log.p = TRUE)
    ll[s] <- log(pnorm2(g[s], q * drop(X %*% p[k + 1:m]), q * r))
    ll
  }
  start <- c(coef(glm(select, binomial("probit"), frame)), coef(glm(outcome, binomial("probit"), frame[s, ])), 0)
  fit <- climb(rowwise, unname(start), c(spread(Z), spread(X), 1))
  names <- c(paste0("selection:", colnames(Z)), paste0("outcome:", colnames(X)), "rho")
  add(data, "selection_probit", "classical", names, fit$p, sqrt(diag(fit$V)), fit$ll)
  add(data, "selection_probit", "cluster; none", names, fit$p, sqrt(diag(robust(fit, frame[[groups]]))))
}
small$many <- as.integer(small$count > 1)
heckman("small", small, y ~ defense + lndist + share, z ~ defense + share, "ccode1")
biprobit("small", small, y ~ defense + lndist, many ~ lndist + share, "ccode1")
selection_probit("small", small, y ~ defense + lndist + share, many ~ defense + share, "ccode1")
if (length(samples)) {
  prd <- read.csv(file.path(samples, "sample_prd.csv.gz"))
  prd$lndur <- log(prd$mindur)
  # numerical second derivatives on all dyads take hours: one dyad in 40
  part <- prd[prd$dyad %% 40 == 0, ]
  part$force <- as.integer(part$hostlev >= 4)
  two_step("prd", prd, y ~ defense + contig + lndist + jointdem + lncaprat + t + t2 + t3,
           lndur ~ defense + contig + jointdem + lncaprat)
  two_step("prd", prd, y ~ defense + contig + lndist + jointdem + lncaprat + t + t2 + t3,
           lndur ~ defense + contig + jointdem + lncaprat, "observed")
  heckman("part", part, y ~ defense + contig + lndist + jointdem + lncaprat + t + t2 + t3,
          lndur ~ defense + contig + jointdem + lncaprat, "dyad")
  selection_probit("part", part, y ~ defense + contig + lndist + jointdem + lncaprat + t + t2 + t3,
                   force ~ defense + contig + jointdem + lncaprat, "dyad")
  two_step("hostlev", prd, y ~ defense + contig + lndist + jointdem + lncaprat + t + t2 + t3,
           hostlev ~ defense + contig + jointdem + lncaprat)
}
out <- do.call(rbind, rows)
numbers <- sapply(out, is.numeric)
out[numbers] <- lapply(out[numbers], function(x) ifelse(is.na(x), "", sprintf("%.15g", x)))
write.csv(out, file.path(here, "selection_reference.csv"), row.names = FALSE, quote = TRUE)
