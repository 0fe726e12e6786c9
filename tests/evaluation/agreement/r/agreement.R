# What R says: run with `Rscript agreement.R > agreement.json` in this folder (psych 2.2.9; the rest base R).
# psych has ICC, cohen.kappa (weighted too) and alpha-free tables; irr and irrCAC are written out below in base R from
# their published formulas, with no code in common with ours.
suppressMessages(library(psych))
shrout <- matrix(c(9,2,5,8, 6,1,3,2, 8,4,6,8, 7,1,2,6, 10,5,6,9, 6,2,4,7), ncol = 4, byrow = TRUE)
set.seed(20)
truth <- rnorm(40, 3, 0.8)
ratings <- sapply(1:3, function(j) pmin(5, pmax(1, round(truth + rnorm(40, c(0, .2, -.3)[j], .6)))))
gaps <- ratings; gaps[cbind(c(1, 4, 9, 15, 22, 31), c(1, 2, 3, 1, 3, 2))] <- NA

icc <- function(x) {
  r <- ICC(x, lmer = FALSE)$results
  unname(as.matrix(r[, c("ICC", "lower bound", "upper bound")]))   # order: 1, 2, 3, 1k, 2k, 3k
}
kappas <- function(a, b, k) {
  levels <- 1:k
  apart <- outer(levels, levels, function(i, j) (i - j)^2)
  t <- table(factor(a, levels), factor(b, levels))
  q <- cohen.kappa(unclass(t) + 0, w = apart)
  l <- cohen.kappa(unclass(t) + 0, w = sqrt(apart))
  c(q$kappa, l$weighted.kappa, q$weighted.kappa)
}
tallies <- function(x, k) t(apply(x, 1, function(r) tabulate(na.omit(r), nbins = k)))
fleiss <- function(n) {                       # irr::kappam.fleiss
  m <- sum(n[1, ]); p <- colSums(n) / sum(n)
  P <- (rowSums(n^2) - m) / (m * (m - 1))
  (mean(P) - sum(p^2)) / (1 - sum(p^2))
}
gwet <- function(n, w) {                      # irrCAC::gwet.ac1.dist
  q <- ncol(n); ri <- rowSums(n); two <- ri >= 2
  pa <- sum((n * (n %*% t(w) - 1))[two, ] / (ri * (ri - 1))[two]) / sum(two)
  pi <- colMeans((n / ri)[ri > 0, ])
  pe <- sum(w) * sum(pi * (1 - pi)) / (q * (q - 1))
  (pa - pe) / (1 - pe)
}
kripp <- function(x, metric) {                # irr::kripp.alpha, by all pairs
  d <- function(c, k, n) switch(metric, nominal = c != k, interval = (c - k)^2,
    ordinal = { r <- min(c, k):max(c, k); (sum(n[r]) - (n[c] + n[k]) / 2)^2 })
  x <- x[rowSums(!is.na(x)) > 1, ]; v <- na.omit(as.vector(x)); n <- tabulate(v, 5); N <- length(v)
  Do <- 0
  for (i in seq_len(nrow(x))) { u <- na.omit(x[i, ]); m <- length(u)
    for (a in 1:m) for (b in 1:m) if (a != b) Do <- Do + d(u[a], u[b], n) / (m - 1) }
  De <- 0
  for (a in 1:N) for (b in 1:N) if (a != b) De <- De + d(v[a], v[b], n)
  1 - (Do / N) / (De / (N * (N - 1)))
}
henderson <- function(x) {                    # variance components from R's own sums of squares
  d <- data.frame(y = as.vector(x), s = factor(rep(1:nrow(x), ncol(x))), c = factor(rep(1:ncol(x), each = nrow(x))))
  d <- droplevels(d[!is.na(d$y), ]); N <- nrow(d); n <- nlevels(d$s); k <- nlevels(d$c)
  rss <- function(f) deviance(lm(f, d))
  sse <- rss(y ~ s + c); r <- n + k - 1; e <- sse / (N - r)
  coder <- (rss(y ~ s) - sse - (r - n) * e) / (N - n)
  session <- (rss(y ~ c) - sse - (r - k) * e) / (N - k)
  c(session, coder, e, session / (session + coder + e))
}
spearman <- cor(ratings[, 1], ratings[, 2], method = "spearman")
w <- 1 - outer(1:5, 1:5, function(i, j) (i - j)^2) / 16
j <- function(x) paste0("[", paste(sprintf("%.12g", x), collapse = ","), "]")
rows <- function(m) paste0("[", paste(apply(m, 1, function(r) gsub("NA", "null", j(r))), collapse = ","), "]")
cat(paste0("{\n",
  '"R":"', R.version.string, '","psych":"', packageVersion("psych"), '",\n',
  '"ratings":', rows(ratings), ',\n"gaps":', rows(gaps), ',\n',
  '"icc_shrout":', rows(icc(shrout)), ',\n"icc_ratings":', rows(icc(ratings)), ',\n',
  '"kappas":', j(kappas(ratings[, 1], ratings[, 2], 5)), ',\n',
  '"fleiss":', j(fleiss(tallies(ratings, 5))), ',\n',
  '"ac1":', j(gwet(tallies(gaps, 5), diag(5))), ',\n"ac2":', j(gwet(tallies(ratings[, 1:2], 5), w)), ',\n',
  '"alpha":', j(c(kripp(gaps, "nominal"), kripp(gaps, "ordinal"), kripp(gaps, "interval"))), ',\n',
  '"components":', j(henderson(gaps)), ',\n"spearman":', j(spearman), "\n}\n"))
