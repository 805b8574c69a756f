# One factorial fit as numbers: what `computed*.json` holds, from lm, car, emmeans, effectsize and
# sandwich. Sum-to-zero contrasts throughout, so that type III tests equal-weight marginal means.
# A number that cannot be estimated is NA, which becomes null.

suppressPackageStartupMessages({
  library(emmeans)
  library(car)
  library(sandwich)
})

ENGINES <- c("car", "emmeans", "effectsize", "sandwich")

engine <- function(packages) {
  versions <- vapply(packages, function(p) paste(p, packageVersion(p)), "")
  paste(c(paste0("R ", getRversion()), versions), collapse = "; ")
}

rows_of <- function(frame, ...) {
  renamed <- data.frame(..., check.names = FALSE)
  lapply(seq_len(nrow(renamed)), function(i) as.list(renamed[i, , drop = FALSE]))
}

# Tables of terms --------------------------------------------------------------------------------

anova_rows <- function(table, ss = "Sum Sq", df = "Df", f = "F value", p = "Pr(>F)") {
  rows_of(
    table,
    term = trimws(rownames(table)), df = table[[df]], ss = table[[ss]],
    ms = table[[ss]] / table[[df]], F = table[[f]], p = table[[p]]
  )
}

wald_rows <- function(fit, covariance) {
  terms <- c("(Intercept)", attr(terms(fit), "term.labels"))
  at <- attr(model.matrix(fit), "assign")
  lapply(seq_along(terms) - 1L, function(k) {
    own <- which(at == k)
    beta <- coef(fit)[own]
    f <- drop(beta %*% solve(covariance[own, own], beta)) / length(own)
    p <- pf(f, length(own), fit$df.residual, lower.tail = FALSE)
    list(term = terms[k + 1L], df = length(own), F = f, p = p)
  })
}

effect_sizes <- function(table) {
  of <- function(measure, ...) {
    as.data.frame(suppressMessages(measure(table, alternative = "two.sided", ...)))
  }
  partial <- of(effectsize::eta_squared, partial = TRUE, ci = 0.95)
  rows_of(
    partial,
    term = partial$Parameter, eta2_partial = partial$Eta2_partial,
    eta2_partial_lo95 = partial$CI_low, eta2_partial_hi95 = partial$CI_high,
    omega2_partial = of(effectsize::omega_squared, partial = TRUE, ci = NULL)$Omega2_partial
  )
}

# Marginal means and what is made of them --------------------------------------------------------

# emmeans names a column otherwise where no row has degrees of freedom.
either <- function(table, one, other) table[[if (one %in% names(table)) one else other]]

low <- function(table) either(table, "lower.CL", "asymp.LCL")
high <- function(table) either(table, "upper.CL", "asymp.UCL")

means <- function(fit, factors, ...) {
  grid <- suppressMessages(emmeans(fit, factors, ...))
  table <- suppressWarnings(as.data.frame(grid))  # without residuals there are no quantiles
  labels <- lapply(table[factors], as.character)
  numbers <- list(
    mean = table$emmean, se = table$SE, df = table$df, lo95 = low(table), hi95 = high(table)
  )
  rows_of(NULL, labels, numbers)
}

column <- function(rows, name) vapply(rows, function(row) as.numeric(row[[name]]), 0)

pairwise <- function(fit, factor) {
  contrasts <- pairs(suppressMessages(emmeans(fit, factor)))
  of <- function(adjust) as.data.frame(summary(contrasts, infer = TRUE, adjust = adjust))
  plain <- of("none")
  tukey <- of("tukey")
  rows_of(
    plain,
    contrast = as.character(plain$contrast), est = plain$estimate, se = plain$SE, df = plain$df,
    t = either(plain, "t.ratio", "z.ratio"), p = plain$p.value, lo95 = low(plain),
    hi95 = high(plain), p_tukey = tukey$p.value, lo95_tukey = low(tukey), hi95_tukey = high(tukey),
    p_holm = suppressMessages(of("holm"))$p.value
  )
}

interaction_contrasts <- function(fit, pair) {
  contrasts <- contrast(suppressMessages(emmeans(fit, pair)), interaction = "pairwise")
  of <- function(adjust) as.data.frame(summary(contrasts, adjust = adjust))
  plain <- of("none")
  rows_of(
    plain,
    c1 = as.character(plain[[1]]), c2 = as.character(plain[[2]]), est = plain$estimate,
    se = plain$SE, df = plain$df, t = plain$t.ratio, p = plain$p.value, p_holm = of("holm")$p.value
  )
}

doubly_centred <- function(rows, pair) {
  a <- vapply(rows, function(row) row[[pair[1]]], "")
  b <- vapply(rows, function(row) row[[pair[2]]], "")
  mean <- column(rows, "mean")
  effect <- mean - ave(mean, a) - ave(mean, b) + mean(mean)
  Map(function(row, e) c(row[pair], effect = e), rows, effect)
}

# High minus low for every term, where all factors have two levels: a sum-to-zero coefficient is
# half the first level minus the second.
two_level_effects <- function(fit, factors) {
  at <- attr(model.matrix(fit), "assign")
  labels <- attr(terms(fit), "term.labels")
  orders <- attr(terms(fit), "order")
  own <- Filter(function(k) all(strsplit(labels[k], ":")[[1]] %in% factors), seq_along(labels))
  values <- lapply(own, function(k) 2 * (-1)^orders[k] * unname(coef(fit)[at == k]))
  setNames(values, labels[own])
}

# The fit ----------------------------------------------------------------------------------------

# `frame` has factors as factors; `block`, if any, is in the formula but has no marginal means.
factorial_numbers <- function(formula, frame, block = NULL) {
  environment(formula) <- environment()  # where emmeans looks for the data
  fit <- eval(bquote(lm(.(formula), data = frame)))
  inputs <- names(fit$xlevels)
  factors <- setdiff(inputs, block)
  labels <- attr(terms(fit), "term.labels")
  pairs_fitted <- Filter(
    function(pair) length(pair) == 2 && all(pair %in% factors), strsplit(labels, ":")
  )
  names(pairs_fitted) <- vapply(pairs_fitted, paste, "", collapse = ":")
  factors <- setNames(factors, factors)
  full_rank <- fit$rank == ncol(model.matrix(fit))
  saturated <- fit$df.residual == 0
  if (saturated) fit$residuals[] <- 0
  out <- list(
    engine = engine(ENGINES), formula = gsub(" ", "", deparse1(formula)),
    contrasts = "sum-to-zero (contr.sum)", n = nrow(frame), rank = fit$rank,
    resid_df = fit$df.residual, rss = sum(residuals(fit)^2),
    levels = lapply(fit$xlevels, as.character), full_rank = full_rank
  )
  if (saturated) {
    table <- suppressWarnings(as.data.frame(anova(fit)))
    table <- table[rownames(table) != "Residuals", ]
    out$anova_type1_saturated <- rows_of(
      table, term = rownames(table), df = table$Df, ss = table[["Sum Sq"]]
    )
  } else {
    out$sigma <- sigma(fit)
    out$anova_type1 <- anova_rows(as.data.frame(anova(fit)))
  }
  if (!saturated && full_rank) {
    type3 <- Anova(fit, type = 3)
    for (kind in 2:3) {
      table <- as.data.frame(if (kind == 2) Anova(fit, type = 2) else type3)
      table[["Mean Sq"]] <- NULL
      out[[paste0("anova_type", kind)]] <- anova_rows(table)
    }
    out$effect_sizes_type3 <- effect_sizes(type3)
  }
  robust <- NULL
  if (!saturated && full_rank && max(hatvalues(fit)) < 1 - 1e-8) {
    robust <- vcovHC(fit, type = "HC3")
    out$anova_type3_hc3 <- wald_rows(fit, robust)
  }
  out$emm <- lapply(factors, means, fit = fit)
  grand <- means(fit, "1")[[1]]$mean
  out["grand_emm"] <- list(grand)
  out$main_effects <- lapply(factors, function(f) {
    lapply(out$emm[[f]], function(row) list(level = row[[f]], effect = row$mean - grand))
  })
  if (!saturated) out$pairwise <- lapply(factors, pairwise, fit = fit)
  if (full_rank) {
    out$emm2 <- lapply(pairs_fitted, means, fit = fit)
    out$interaction_effects <- Map(doubly_centred, out$emm2, pairs_fitted)
    if (all(lengths(fit$xlevels[factors]) == 2)) {
      out$two_level_effects <- two_level_effects(fit, factors)
    }
    if (!saturated) {
      out$interaction_contrasts <- lapply(pairs_fitted, interaction_contrasts, fit = fit)
    }
  }
  if (!is.null(robust)) {
    out$emm_hc3 <- lapply(factors, means, fit = fit, vcov. = robust)
  }
  out
}
