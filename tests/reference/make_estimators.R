# Reference numbers for the estimators beyond logit, probit, OLS, Poisson and NB2, on
# models_data.csv (made by make_models.R): R's own packages, with their convergence tightened where
# they allow it; where Debian has no package, the density and R's optim.
#
#   Rscript tests/reference/make_estimators.R     (R 4.2; needs the packages below)
#
# writes estimators_reference.csv and estimators_predictions.csv beside this script. Terms are named as foedus names them.
suppressMessages({
  library(MASS); library(survival); library(nnet); library(ordinal); library(pscl)
  library(geepack); library(quantreg); library(lme4); library(brglm2); library(sandwich)
})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
d <- read.csv(file.path(here, "models_data.csv"))
d$e <- exp(d$z)
d$cat <- findInterval(d$z, c(0.5, 1.5, 2.5))       # 0, 1, 2, 3
d$few <- d$count * (d$year != 1903)                # counts with an excess of zeros
d$dyad <- pmin(d$ccode1, d$ccode2) * 1000 + pmax(d$ccode1, d$ccode2)
rows <- list()
keep <- function(model, estimator, formula, b, se, options = "", cov = "classical",
                 loglik = NA, n = nrow(d), where = "") {
  rows[[length(rows) + 1]] <<- data.frame(model, estimator, formula, options, where, cov,
    term = names(b), estimate = unname(b), std_error = unname(se), loglik, n)
}
told <- list()
predicted <- function(model, kind, values) {
  told[[length(told) + 1]] <<- data.frame(model, kind, row = 1:6 * 60, value = unname(values[1:6 * 60]))
}
se <- function(model) sqrt(diag(as.matrix(vcov(model))))
rhs <- "defense + lndist + share"
f <- function(y) as.formula(paste(y, "~", rhs))
tight <- glm.control(epsilon = 1e-15, maxit = 500)

# --- generalised linear models ---------------------------------------------------------------
glms <- list(
  list("gamma", "e", Gamma("log"), "link=log"), list("gamma", "e", Gamma("inverse"), "link=inverse"),
  list("inverse_gaussian", "e", inverse.gaussian("log"), "link=log"),
  list("gaussian", "e", gaussian("log"), "link=log"),
  list("binomial", "y", binomial("cauchit"), "link=cauchit"),
  list("quasipoisson", "count", quasipoisson("log"), ""),
  list("fractional", "share2", quasibinomial("logit"), "link=logit"))
d$share2 <- pmin(pmax(d$share * 1.2 - 0.1, 0), 1)
for (g in glms) {
  right <- if (g[[2]] == "share2") "defense + lndist + z" else rhs
  form <- as.formula(paste(g[[2]], "~", right))
  start <- if (g[[4]] == "link=log" && g[[1]] != "gamma")
    coef(glm(form, Gamma("log"), d, control = tight)) else NULL
  m <- suppressWarnings(glm(form, g[[3]], d, control = tight, start = start))
  text <- deparse(form)
  ll <- suppressWarnings(as.numeric(logLik(m)))
  if (g[[1]] %in% c("quasipoisson", "fractional")) ll <- NA
  keep(paste(g[[1]], g[[4]]), g[[1]], text, coef(m), se(m), g[[4]], loglik = ll)
  for (k in c("HC0", "HC3")) keep(paste(g[[1]], g[[4]]), g[[1]], text, coef(m),
    sqrt(diag(vcovHC(m, k))), g[[4]], k, ll)
  keep(paste(g[[1]], g[[4]]), g[[1]], text, coef(m), sqrt(diag(vcovCL(m, d$dyad))), g[[4]],
       "cluster(dyad)", ll)
}
m <- lm(f("log(e)"), d)
keep("lognormal", "lognormal", paste("e ~", rhs), coef(m), se(m),
     loglik = as.numeric(logLik(m)) - sum(log(d$e)))

# --- densities and optim: beta regression, NB1, truncated counts --------------------------------
by_density <- function(model, estimator, y, X, density, extra, formula, where = "") {
  k <- ncol(X)
  fn <- function(p) sum(density(y, X %*% p[1:k], if (extra == "") NULL else p[k + 1]))
  start <- c(log(mean(y)), rep(0, k - 1), if (extra == "") NULL else 0)
  if (estimator == "beta") start[1] <- qlogis(mean(y))
  control <- list(fnscale = -1, reltol = 1e-15, maxit = 20000)
  o <- optim(start, fn, method = "Nelder-Mead", control = control)
  for (i in 1:6) o <- optim(o$par, fn, method = "BFGS", control = c(control, ndeps = list(rep(1e-5, length(start)))))
  # Newton steps on central differences polish what BFGS leaves
  grad <- function(p) sapply(seq_along(p), function(j) {
    h <- 1e-4; a <- p; b <- p; c4 <- p; d4 <- p
    a[j] <- a[j] + h; b[j] <- b[j] - h; c4[j] <- c4[j] + 2 * h; d4[j] <- d4[j] - 2 * h
    (8 * (fn(a) - fn(b)) - (fn(c4) - fn(d4))) / (12 * h) })
  hess <- function(p) { H <- sapply(seq_along(p), function(j) {
    h <- 1e-4; a <- p; b <- p; a[j] <- a[j] + h; b[j] <- b[j] - h
    (grad(a) - grad(b)) / (2 * h) }); (H + t(H)) / 2 }
  p <- o$par
  for (i in 1:4) p <- p - solve(hess(p), grad(p))
  V <- solve(-hess(p))
  names(p) <- c(colnames(X), if (extra == "") NULL else extra)
  keep(model, estimator, formula, p, sqrt(diag(V)), loglik = fn(p), n = length(y), where = where)
}
X <- model.matrix(f("y"), d)
inside <- d$share > 0 & d$share < 1
Xb <- model.matrix(share ~ defense + lndist + z, d)
by_density("beta", "beta", d$share[inside], Xb[inside, ], function(y, eta, s) {
  mu <- plogis(eta); phi <- exp(s); dbeta(y, mu * phi, (1 - mu) * phi, log = TRUE)
}, "/lnphi", "share ~ defense + lndist + z", "share > 0 and share < 1")
by_density("negbin1", "negbin1", d$count, X, function(y, eta, s) {
  mu <- exp(eta); dnbinom(y, size = mu / exp(s), mu = mu, log = TRUE)
}, "/lndelta", paste("count ~", rhs))
up <- d$count > 0
by_density("truncated_poisson", "truncated_poisson", d$count[up], X[up, ], function(y, eta, s) {
  mu <- exp(eta); dpois(y, mu, log = TRUE) - log1p(-exp(-mu))
}, "", paste("count ~", rhs), "count > 0")
by_density("truncated_negbin", "truncated_negbin", d$count[up], X[up, ], function(y, eta, s) {
  mu <- exp(eta); size <- exp(s)
  dnbinom(y, size = size, mu = mu, log = TRUE) - log1p(-dnbinom(0, size = size, mu = mu))
}, "/lntheta", paste("count ~", rhs), "count > 0")

# --- zeros -----------------------------------------------------------------------------------------
zero_names <- function(b) { names(b) <- sub("^count_", "", sub("^zero_", "zero:", names(b))); b }
for (dist in c("poisson", "negbin")) {
  form <- few ~ defense + lndist + share | share
  text <- "few ~ defense + lndist + share | share"
  m <- zeroinfl(form, d, dist = dist, control = zeroinfl.control(reltol = 1e-15, maxit = 50000))
  keep(paste("zeroinfl", dist), c(poisson = "zip", negbin = "zinb")[[dist]], text,
       zero_names(coef(m)), se(m), loglik = as.numeric(logLik(m)))
  # of the negative binomials, sandwich knows no score of theta: its covariance is another one
  if (dist == "poisson") keep(paste("zeroinfl", dist), "zip", text,
       zero_names(coef(m)), sqrt(diag(vcovCL(m, d$dyad))), cov = "cluster(dyad)",
       loglik = as.numeric(logLik(m)))
  for (kind in c("response", "count", "zero"))
    predicted(paste("zeroinfl", dist), kind, predict(m, type = kind))
  predicted(paste("zeroinfl", dist), "none", predict(m, type = "prob")[, 1])
  m <- hurdle(form, d, dist = dist, control = hurdle.control(reltol = 1e-15, maxit = 50000))
  keep(paste("hurdle", dist), paste0("hurdle_", dist), text, zero_names(coef(m)), se(m),
       loglik = as.numeric(logLik(m)))
  if (dist == "poisson") keep(paste("hurdle", dist), paste0("hurdle_", dist), text, zero_names(coef(m)),
       sqrt(diag(vcovCL(m, d$dyad))), cov = "cluster(dyad)", loglik = as.numeric(logLik(m)))
  # pscl's "zero" of a hurdle is the ratio P(y > 0) / P(count > 0), ours P(y > 0)
  predicted(paste("hurdle", dist), "response", predict(m, type = "response"))
  predicted(paste("hurdle", dist), "count", predict(m, type = "count"))
  predicted(paste("hurdle", dist), "none", predict(m, type = "prob")[, 1])
}

# --- categories --------------------------------------------------------------------------------------
d$o <- factor(d$cat)
for (link in c("logit", "probit")) {
  m <- clm(f("o"), data = d, link = link, control = clm.control(gradTol = 1e-12))
  b <- c(m$beta, setNames(m$alpha, paste0("/cut", seq_along(m$alpha))))
  s <- se(m)[c(names(m$beta), names(m$alpha))]
  keep(paste("ordered", link), paste0("ordered_", link), paste("cat ~", rhs), b, s,
       loglik = as.numeric(logLik(m)))
  s <- sqrt(diag(vcovCL(m, d$dyad)))[c(names(m$beta), names(m$alpha))]
  keep(paste("ordered", link), paste0("ordered_", link), paste("cat ~", rhs), b, s,
       cov = "cluster(dyad)", loglik = as.numeric(logLik(m)))
  p <- predict(m, newdata = d[all.vars(f("o"))[-1]], type = "prob")$fit
  for (j in 1:4) predicted(paste("ordered", link), paste0("response ", j - 1), p[, j])
}
m <- multinom(f("o"), d, trace = FALSE, reltol = 1e-18, abstol = 1e-12, maxit = 5000, Hess = TRUE)
b <- as.vector(t(coef(m))); names(b) <- colnames(vcov(m))
keep("multinomial", "multinomial", paste("cat ~", rhs), b, se(m), loglik = as.numeric(logLik(m)))
p <- predict(m, type = "probs")
for (j in 1:4) predicted("multinomial", paste0("response ", j - 1), p[, j])

# --- strata -------------------------------------------------------------------------------------------
for (ties in c("exact", "efron", "breslow")) {
  m <- clogit(y ~ defense + lndist + share + strata(ccode1), d, method = ties,
              control = coxph.control(eps = 1e-13, iter.max = 100))
  keep(paste("clogit", ties), "clogit", paste("y ~", rhs), coef(m), se(m),
       paste0("strata=ccode1;ties=", ties), loglik = as.numeric(logLik(m)))
  if (ties != "exact") {
    m <- clogit(y ~ defense + lndist + share + strata(ccode1) + cluster(ccode1), d, method = ties,
                control = coxph.control(eps = 1e-13, iter.max = 100))
    keep(paste("clogit", ties), "clogit", paste("y ~", rhs), coef(m), se(m),
         paste0("strata=ccode1;ties=", ties), "cluster(ccode1; none)", as.numeric(logLik(m)))
  }
}

# --- bias reduction --------------------------------------------------------------------------------------
d$sep <- d$defense * (d$y == 1)                     # separates: sep = 1 has y = 1 always
for (link in c("logit", "probit", "cloglog")) {
  m <- glm(f("y"), binomial(link), d, method = "brglmFit", type = "AS_mean",
           control = brglmControl(epsilon = 1e-13, maxit = 1000))
  keep(paste("firth", link), "firth", paste("y ~", rhs), coef(m), se(m), paste0("link=", link),
       loglik = as.numeric(logLik(m)))
}
m <- glm(f("y"), binomial, d, method = "brglmFit", type = "MPL_Jeffreys",
         control = brglmControl(epsilon = 1e-13, maxit = 1000))
keep("jeffreys logit", "jeffreys", paste("y ~", rhs), coef(m), se(m), "link=logit",
     loglik = as.numeric(logLik(m)))
m <- glm(y ~ sep + lndist, binomial, d, method = "brglmFit", type = "AS_mean",
         control = brglmControl(epsilon = 1e-13, maxit = 1000))
keep("firth separated", "firth", "y ~ sep + lndist", coef(m), se(m), "link=logit",
     loglik = as.numeric(logLik(m)))

# King and Zeng 2001, equations 7-9 and 16-17, written out
rare <- function(name, tau, weighting) {
  ybar <- mean(d$y); n <- nrow(d); k <- ncol(X)
  t1 <- if (is.null(tau)) ybar else tau
  w1 <- t1 / ybar; w0 <- (1 - t1) / (1 - ybar)
  d$kz <- if (weighting) w1 * d$y + w0 * (1 - d$y) else 1
  m <- suppressWarnings(glm(f("y"), binomial, d, weights = kz, control = tight))
  p <- fitted(m); W <- p * (1 - p) * d$kz; one <- if (weighting) w1 else 1
  Q <- X %*% solve(t(X) %*% (X * W)) %*% t(X)
  xi <- 0.5 * diag(Q) * ((1 + one) * p - one)
  bias <- solve(t(X) %*% (X * W), t(X) %*% (W * xi))
  b <- coef(m) - as.vector(bias)
  if (!weighting) b[1] <- b[1] - log((1 - t1) / t1 * ybar / (1 - ybar))
  V <- solve(t(X) %*% (X * W)) * (n / (n + k))^2
  keep(name, "relogit", paste("y ~", rhs), b, sqrt(diag(V)),
       paste0(if (is.null(tau)) "" else paste0("tau=", tau, ";"),
              "correct=", if (weighting) "weighting" else "prior"))
}
rare("relogit", NULL, FALSE); rare("relogit prior", 0.05, FALSE); rare("relogit weighting", 0.05, TRUE)

# --- clusters: GEE ------------------------------------------------------------------------------------------
o <- d[order(d$ccode1, d$year, d$ccode2), ]
for (corr in c("independence", "exchangeable", "ar1")) for (fam in c("binomial", "poisson", "gaussian")) {
  y <- c(binomial = "y", poisson = "count", gaussian = "z")[[fam]]
  m <- geese(f(y), id = ccode1, data = o, family = get(fam), corstr = corr,
             control = geese.control(epsilon = 1e-12, maxit = 500))
  b <- m$beta; opt <- paste0("id=ccode1;corr=", corr, ";family=", fam)
  extra <- c(phi = as.numeric(m$gamma), if (corr != "independence") c(alpha = as.numeric(m$alpha)))
  keep(paste("gee", corr, fam), "gee", paste(y, "~", rhs), c(b, extra),
       c(sqrt(diag(m$vbeta.naiv)), 0 * extra), opt, where = "sorted")
  keep(paste("gee", corr, fam), "gee", paste(y, "~", rhs), b, sqrt(diag(m$vbeta)), opt,
       "cluster(ccode1; none)", where = "sorted")
}

# --- quantiles ---------------------------------------------------------------------------------------------------
for (tau in c(0.1, 0.5, 0.9)) for (how in c("iid", "nid", "ker")) {
  m <- rq(f("z"), tau, d)
  s <- summary(m, se = how)$coefficients
  keep(paste("quantile", tau, how), "quantile", paste("z ~", rhs), coef(m), s[, 2],
       paste0("tau=", tau, ";se=", how), loglik = as.numeric(logLik(m)))
}

# --- random intercepts ---------------------------------------------------------------------------------------------
# PIRLS stops at a relative change of 1e-7 by default, which leaves a rough surface to climb
control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-14,
                        optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
for (q in c(1, 15)) {
  m <- glmer(y ~ defense + lndist + share + (1 | ccode1), d, binomial, nAGQ = q, control = control)
  keep(paste("mixed_logit", q), "mixed_logit", paste("y ~", rhs), fixef(m), se(m),
       paste0("groups=ccode1;points=", q), loglik = as.numeric(logLik(m)))
}
m <- glmer(count ~ defense + lndist + share + (1 | ccode1), d, poisson, nAGQ = 1, control = control)
keep("mixed_poisson 1", "mixed_poisson", paste("count ~", rhs), fixef(m), se(m),
     "groups=ccode1;points=1", loglik = as.numeric(logLik(m)))
m <- glmer(y ~ defense + lndist + share + (1 | ccode1) + (1 | ccode2), d, binomial, control = control)
keep("mixed_logit crossed", "mixed_logit", paste("y ~", rhs), fixef(m), se(m),
     "groups=ccode1+ccode2;points=1", loglik = as.numeric(logLik(m)))

out <- do.call(rbind, rows)
numbers <- sapply(out, is.numeric)
out[numbers] <- lapply(out[numbers], function(x) format(x, digits = 12, trim = TRUE))
write.csv(out, file.path(here, "estimators_reference.csv"), row.names = FALSE, quote = TRUE)
told <- do.call(rbind, told)
told$value <- format(told$value, digits = 10, trim = TRUE)
write.csv(told, file.path(here, "estimators_predictions.csv"), row.names = FALSE, quote = FALSE)
