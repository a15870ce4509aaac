# Reference numbers for tests/models, made by R's own glm, lm, MASS and sandwich on a small
# synthetic set of directed dyad-years, with the dyadic covariance by its definition: a double
# loop over all pairs of rows that share a state.
#
#   Rscript tests/reference/make_models.R      (R 4.2; needs sandwich and MASS)
#
# writes models_data.csv and models_reference.csv beside this script.
suppressMessages({library(sandwich); library(MASS)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
set.seed(20150501)

states <- c(2, 20, 200, 210, 220, 230, 255, 300, 325, 365, 640, 710)
frame <- expand.grid(year = 1900:1906, ccode2 = states, ccode1 = states)
frame <- frame[frame$ccode1 != frame$ccode2, c("ccode1", "ccode2", "year")]
frame <- frame[sort(sample(nrow(frame), 420)), ]
n <- nrow(frame)
pull <- setNames(rnorm(length(states)), states)
shock <- 0.6 * pull[as.character(frame$ccode1)] + 0.6 * pull[as.character(frame$ccode2)]
frame$defense <- rbinom(n, 1, 0.35)
frame$lndist <- round(rnorm(n, 7, 1), 3)
frame$share <- round(runif(n), 3)
frame$region <- sample(c("africa", "asia", "europe"), n, replace = TRUE)
eta <- 1.2 - 0.7 * frame$defense - 0.35 * frame$lndist + 1.1 * frame$share + shock
frame$y <- rbinom(n, 1, plogis(eta))
frame$z <- round(2 + 0.5 * eta + rnorm(n), 3)
frame$count <- rnbinom(n, mu = exp(0.2 + 0.5 * eta), size = 1.5)
frame$w <- round(runif(n, 0.5, 2), 2)
frame$dyad <- pmin(frame$ccode1, frame$ccode2) * 1000 + pmax(frame$ccode1, frame$ccode2)
write.csv(frame[setdiff(names(frame), "dyad")], file.path(here, "models_data.csv"),
          row.names = FALSE, quote = FALSE)

# Aronow, Samii and Assenova 2015 by brute force: bread x (sum of s_i s_j' over all pairs of rows
# that share a member) x bread
dyadic <- function(model) {
  s <- estfun(model)
  meat <- matrix(0, ncol(s), ncol(s))
  for (i in seq_len(nrow(s))) for (j in seq_len(nrow(s))) {
    mine <- c(frame$ccode1[i], frame$ccode2[i])
    if (frame$ccode1[j] %in% mine || frame$ccode2[j] %in% mine)
      meat <- meat + outer(s[i, ], s[j, ])
  }
  b <- bread(model) / nrow(s)
  b %*% meat %*% b
}

covariances <- function(model) {
  two <- ~ ccode1 + ccode2
  list(
    "classical" = vcov(model),
    "HC0" = vcovHC(model, "HC0"), "HC1" = vcovHC(model, "HC1"),
    "HC2" = vcovHC(model, "HC2"), "HC3" = vcovHC(model, "HC3"),
    "cluster(dyad)" = vcovCL(model, frame$dyad),
    "cluster(dyad; none)" = vcovCL(model, frame$dyad, type = "HC0", cadjust = FALSE),
    "cluster(dyad; clusters)" = vcovCL(model, frame$dyad, type = "HC0"),
    "cluster(dyad; clusters_and_terms)" = vcovCL(model, frame$dyad, type = "HC1"),
    "cluster(ccode1)" = vcovCL(model, frame$ccode1),
    "cluster(ccode1,year)" = vcovCL(model, frame[c("ccode1", "year")]),
    "dyadic" = dyadic(model)
  )
}

rows <- list()
keep <- function(model, name, formula, estimator, all = TRUE) {
  made <- if (all) covariances(model) else list("classical" = vcov(model))
  for (cov in names(made)) {
    rows[[length(rows) + 1]] <<- data.frame(
      model = name, estimator = estimator, formula = formula, covariance = cov,
      term = names(coef(model)), estimate = unname(coef(model)),
      std_error = unname(sqrt(diag(made[[cov]]))), loglik = as.numeric(logLik(model)),
      n = nobs(model), theta = if (is.null(model$theta)) NA else model$theta,
      theta_se = if (is.null(model$SE.theta)) NA else model$SE.theta)
  }
}

tight <- glm.control(epsilon = 1e-14, maxit = 100)
rhs <- "~ defense + lndist + share"
y <- paste("y", rhs); z <- paste("z", rhs); k <- paste("count", rhs)
keep(glm(as.formula(y), binomial, frame, control = tight), "logit", y, "logit")
keep(glm(as.formula(y), binomial("probit"), frame, control = tight), "probit", y, "probit")
keep(glm(as.formula(y), binomial("cloglog"), frame, control = tight), "cloglog", y, "cloglog")
keep(lm(as.formula(z), frame), "ols", z, "ols")
keep(glm(as.formula(k), poisson, frame, control = tight), "poisson", k, "poisson")
keep(glm.nb(as.formula(k), frame, control = tight), "negbin", k, "negbin")
keep(lm(as.formula(z), frame, weights = w), "ols_weighted", z, "ols")
# the algebra of formulas: functions, categories, interactions, no constant
for (f in c("y ~ log(lndist) + I((share - 0.5)^2)", "y ~ poly(lndist, 3) + share",
            "y ~ defense * share", "y ~ (defense + share + lndist)^2 - defense:lndist"))
  keep(glm(as.formula(f), binomial, frame, control = tight), f, f, "logit", FALSE)
for (f in c("z ~ region", "z ~ region * share", "z ~ 0 + region + share", "z ~ share:region",
            "z ~ factor(year) + share", "z ~ share - 1"))
  keep(lm(as.formula(f), frame), f, f, "ols", FALSE)
f <- "count ~ defense + offset(log(w))"
keep(glm(as.formula(f), poisson, frame, control = tight), f, f, "poisson", FALSE)

out <- do.call(rbind, rows)
numbers <- sapply(out, is.numeric)
out[numbers] <- lapply(out[numbers], function(x) format(x, digits = 15, trim = TRUE))
write.csv(out, file.path(here, "models_reference.csv"), row.names = FALSE, quote = TRUE)

# average marginal effects and first differences, by numerical differentiation of their definition
effect <- function(model, name, covariance) {
  b <- coef(model); X <- model.matrix(model); V <- covariance
  inverse <- model$family$linkinv; slope <- model$family$mu.eta
  middle <- colMeans(X); one <- middle; one["defense"] <- 1; nil <- middle; nil["defense"] <- 0
  all1 <- X; all1[, "defense"] <- 1; all0 <- X; all0[, "defense"] <- 0
  what <- list(
    slope_defense = function(b) mean(slope(X %*% b)) * b["defense"],
    slope_share = function(b) mean(slope(X %*% b)) * b["share"],
    difference_defense = function(b) mean(inverse(all1 %*% b) - inverse(all0 %*% b)),
    at_means = function(b) inverse(sum(one * b)) - inverse(sum(nil * b)),
    percent_at_means = function(b) 100 * (inverse(sum(one * b)) / inverse(sum(nil * b)) - 1))
  do.call(rbind, lapply(names(what), function(w) {
    g <- sapply(seq_along(b), function(j) {
      h <- 1e-5; up <- b; up[j] <- up[j] + h; down <- b; down[j] <- down[j] - h
      (what[[w]](up) - what[[w]](down)) / (2 * h)
    })
    data.frame(model = name, quantity = w, estimate = as.numeric(what[[w]](b)),
               std_error = sqrt(as.numeric(g %*% V %*% g)))
  }))
}
logit <- glm(as.formula(y), binomial, frame, control = tight)
probit <- glm(as.formula(y), binomial("probit"), frame, control = tight)
count <- glm(as.formula(k), poisson, frame, control = tight)
quantities <- rbind(effect(logit, "logit", vcovCL(logit, frame$dyad)),
                    effect(probit, "probit", vcovCL(probit, frame$dyad)),
                    effect(count, "poisson", vcovCL(count, frame$dyad)))
quantities[3:4] <- lapply(quantities[3:4], function(x) format(x, digits = 12, trim = TRUE))
write.csv(quantities, file.path(here, "models_quantities.csv"), row.names = FALSE, quote = FALSE)
