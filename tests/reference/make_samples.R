# Reference numbers of R on the public samples (../shared/samples), which are not in the repository:
# a fair choice of what scholars would fit to them, beside r_estimates_public.csv.
#
#   Rscript tests/reference/make_samples.R SAMPLES_FOLDER     (R 4.2; about 8 minutes)
#
# writes samples_reference.csv beside this script. Terms are named as foedus names them.
suppressMessages({
  library(MASS); library(survival); library(nnet); library(ordinal); library(pscl)
  library(geepack); library(quantreg); library(brglm2)
})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
folder <- commandArgs(TRUE)[1]
read <- function(name) read.csv(gzfile(file.path(folder, paste0("sample_", name, ".csv.gz"))))
prd <- read("prd"); symid <- read("symid"); warpart <- read("warpart"); wars <- read("wars")
rows <- list()
keep <- function(sample, model, estimator, formula, b, s, options = "", cov = "classical",
                 loglik = NA, n = NA, where = "") {
  rows[[length(rows) + 1]] <<- data.frame(sample, model, estimator, formula, options, where, cov,
    term = names(b), estimate = unname(b), std_error = unname(s), loglik, n)
}
se <- function(model) sqrt(diag(as.matrix(vcov(model))))
base <- "defense + contig + lndist + jointdem + lncaprat"
long <- paste(base, "+ t + t2 + t3")
counts <- "cowmaj + polity2 + land + sea + n_def + lncinc + yr"
tight <- glm.control(epsilon = 1e-15, maxit = 500)
f <- function(y, right) as.formula(paste(y, "~", right))
text <- function(y, right) paste(y, "~", right)

for (link in c("probit", "cloglog")) {
  m <- glm(f("y", long), binomial(link), prd, control = tight)
  keep("prd", link, link, text("y", long), coef(m), se(m), loglik = as.numeric(logLik(m)), n = nobs(m))
}
within <- "defense + jointdem + lncaprat + t + t2 + t3"
for (ties in c("exact", "efron", "breslow")) {
  m <- clogit(f("y", paste(within, "+ strata(dyad)")), prd, method = ties,
              control = coxph.control(eps = 1e-12, iter.max = 100))
  keep("prd", paste("clogit", ties), "clogit", text("y", within), coef(m), se(m),
       paste0("strata=dyad;ties=", ties), loglik = as.numeric(logLik(m)), n = m$n)
}
for (y in c("y", "y_war")) {
  m <- glm(f(y, long), binomial, prd, method = "brglmFit", type = "AS_mean",
           control = brglmControl(epsilon = 1e-12, maxit = 1000))
  keep("prd", paste("firth", y), "firth", text(y, long), coef(m), se(m),
       loglik = as.numeric(logLik(m)), n = NROW(fitted(m)))
}
# King and Zeng 2001, equations 16-17
m <- glm(f("y_war", long), binomial, prd, control = tight)
X <- model.matrix(m); p <- fitted(m); W <- p * (1 - p); V <- solve(t(X) %*% (X * W))
xi <- 0.5 * rowSums((X %*% V) * X) * (2 * p - 1)
b <- coef(m) - as.vector(V %*% (t(X) %*% (W * xi)))
keep("prd", "relogit", "relogit", text("y_war", long), b,
     sqrt(diag(V)) * nrow(X) / (nrow(X) + ncol(X)), n = nrow(X))

for (how in c("all", "disputes")) {
  d <- if (how == "all") prd else prd[prd$y == 1, ]
  d$h <- factor(d$hostlev); right <- if (how == "all") long else base
  where <- if (how == "all") "" else "y == 1"
  for (link in c("logit", "probit")) {
    m <- clm(f("h", right), data = d, link = link, control = clm.control(gradTol = 1e-10, maxIter = 500))
    b <- c(m$beta, setNames(m$alpha, paste0("/cut", seq_along(m$alpha))))
    keep("prd", paste("ordered", link, how), paste0("ordered_", link), text("hostlev", right), b,
         se(m)[c(names(m$beta), names(m$alpha))], loglik = as.numeric(logLik(m)), n = nrow(d),
         where = where)
  }
}
d <- prd[prd$y == 1, ]; d$h <- factor(d$hostlev)
m <- multinom(f("h", base), d, trace = FALSE, reltol = 1e-18, abstol = 1e-12, maxit = 5000, Hess = TRUE)
b <- as.vector(t(coef(m))); names(b) <- colnames(vcov(m))
keep("prd", "multinomial", "multinomial", text("hostlev", base), b, se(m),
     loglik = as.numeric(logLik(m)), n = nrow(d), where = "y == 1")
w <- warpart[!is.na(warpart$outcome) & warpart$outcome %in% c(1, 2, 4, 6), ]
right <- "initiator + nyears + nopp + cinc"
m <- multinom(f("factor(outcome)", right), w, trace = FALSE, reltol = 1e-18, abstol = 1e-12,
              maxit = 5000, Hess = TRUE)
b <- as.vector(t(coef(m))); names(b) <- colnames(vcov(m))
keep("warpart", "multinomial", "multinomial", text("outcome", right), b, se(m),
     loglik = as.numeric(logLik(m)), n = nrow(w), where = "outcome in (1, 2, 4, 6)")

p <- prd[order(prd$dyad, prd$year), ]; y <- symid[order(symid$ccode, symid$year), ]
control <- geese.control(epsilon = 1e-12, maxit = 500)
for (corr in c("independence", "exchangeable", "ar1")) {
  m <- geese(f("y", long), id = dyad, data = p, family = binomial, corstr = corr, control = control)
  opt <- paste0("id=dyad;family=logit;corr=", corr)
  keep("prd", paste("gee", corr), "gee", text("y", long), m$beta, sqrt(diag(m$vbeta.naiv)), opt, n = nrow(p))
  keep("prd", paste("gee", corr), "gee", text("y", long), m$beta, sqrt(diag(m$vbeta)), opt,
       "cluster(dyad; none)", n = nrow(p))
  m <- geese(f("n_onset", counts), id = ccode, data = y, family = poisson, corstr = corr, control = control)
  opt <- paste0("id=ccode;family=poisson;corr=", corr)
  keep("symid", paste("gee", corr), "gee", text("n_onset", counts), m$beta, sqrt(diag(m$vbeta.naiv)),
       opt, n = nrow(y))
  keep("symid", paste("gee", corr), "gee", text("n_onset", counts), m$beta, sqrt(diag(m$vbeta)), opt,
       "cluster(ccode; none)", n = nrow(y))
}

form <- f("n_onset", counts)
m <- glm(form, quasipoisson, symid, control = tight)
keep("symid", "quasipoisson", "quasipoisson", text("n_onset", counts), coef(m), se(m), n = nobs(m))
m <- glm.nb(form, symid, control = glm.control(epsilon = 1e-15, maxit = 500))
keep("symid", "negbin", "negbin", text("n_onset", counts), coef(m), se(m),
     loglik = as.numeric(logLik(m)), n = nobs(m))
own <- function(b) { names(b) <- sub("^count_", "", sub("^zero_", "zero:", names(b))); b }
for (dist in c("poisson", "negbin")) {
  right <- paste(counts, "| lncinc + polity2")
  m <- zeroinfl(f("n_onset", right), symid, dist = dist,
                control = zeroinfl.control(reltol = 1e-15, maxit = 50000))
  keep("symid", paste("zeroinfl", dist), c(poisson = "zip", negbin = "zinb")[[dist]],
       text("n_onset", right), own(coef(m)), se(m), loglik = as.numeric(logLik(m)), n = nrow(symid))
  m <- hurdle(form, symid, dist = dist, control = hurdle.control(reltol = 1e-15, maxit = 50000))
  keep("symid", paste("hurdle", dist), paste0("hurdle_", dist), text("n_onset", counts),
       own(coef(m)), se(m), loglik = as.numeric(logLik(m)), n = nrow(symid))
}

right <- "nstates + nyears + I(log(maxcinc)) + I((y0 - 1900)/100)"
for (tau in c(0.1, 0.25, 0.5, 0.75, 0.9)) for (how in c("iid", "nid", "ker")) {
  m <- rq(f("I(log(deaths))", right), tau, wars)
  keep("wars", paste("quantile", tau, how), "quantile", text("log(deaths)", right), coef(m),
       summary(m, se = how)$coefficients[, 2], paste0("tau=", tau, ";se=", how),
       loglik = as.numeric(logLik(m)), n = nrow(wars))
}

out <- do.call(rbind, rows)
numbers <- sapply(out, is.numeric)
out[numbers] <- lapply(out[numbers], function(x) format(x, digits = 12, trim = TRUE))
write.csv(out, file.path(here, "samples_reference.csv"), row.names = FALSE, quote = TRUE)
