# Expected numbers that are not those of a factorial fit: Lenth's limits, survival curves, power,
# adjusted p-values, an analysis of deviance. Base R, MASS and survival.

# Lenth's pseudo standard error, margins of error and half-normal coordinates of effects.
lenth_numbers <- function(effects, alpha = 0.05) {
  size <- abs(effects)
  m <- length(size)
  s0 <- 1.5 * median(size)
  pse <- 1.5 * median(size[size < 2.5 * s0])
  d <- m / 3
  me <- qt(1 - alpha / 2, d) * pse
  sme <- qt(1 - (1 - (1 - alpha)^(1 / m)) / 2, d) * pse
  ordered <- sort(size)
  quantiles <- qnorm(0.5 + ppoints(m, 0.5) / 2)
  list(
    m = m, s0 = s0, pse = pse, d = d, me = me, sme = sme,
    active_me = as.list(names(effects)[size > me]),
    active_sme = as.list(names(effects)[size > sme]),
    half_normal = unname(Map(
      function(term, a, z) list(term = term, abs_effect = a, z_ppoints_half = z),
      names(ordered), unname(ordered), quantiles
    ))
  )
}

# Every column a factor, the design saturated: effects are contrasts of halves.
columns_lenth <- function(frame, responses) {
  design <- as.matrix(frame[setdiff(names(frame), responses)])
  list(engine = engine(character()), responses = lapply(
    setNames(responses, responses), function(y) {
      effects <- drop(crossprod(design, frame[[y]])) / (nrow(frame) / 2)
      list(effects = as.list(effects), lenth = lenth_numbers(effects))
    }
  ))
}

aliased_numbers <- function(frame, response) {
  fit <- lm(reformulate("A * B * C", response), frame)
  list(
    engine = engine(character()), defining_relation = "I=ABCD",
    aliased_effects = two_level_effects(fit, c("A", "B", "C")),
    alias_of = list(
      A = "BCD", B = "ACD", C = "ABD", "A:B" = "CD", "A:C" = "BD", "B:C" = "AD", "A:B:C" = "D"
    )
  )
}

survival_numbers <- function(frame, group, tau) {
  library(survival)
  formula <- as.formula(paste("Surv(time, status) ~", group))
  curves <- summary(survfit(formula, frame, conf.type = "log-log"))
  mean <- summary(survfit(formula, frame), rmean = tau)$table
  test <- survdiff(formula, frame)
  list(
    engine = engine("survival"), tau = tau,
    km = rows_of(
      NULL,
      group = as.character(curves$strata), time = curves$time, n_risk = curves$n.risk,
      n_event = curves$n.event, surv = curves$surv,
      se = ifelse(curves$surv == 0, NA, curves$std.err),
      lo_loglog = curves$lower, hi_loglog = curves$upper
    ),
    groups = rows_of(
      NULL,
      group = sub(".*=", "", rownames(mean)), n = mean[, "records"], events = mean[, "events"],
      median = mean[, "median"], rmean = mean[, "rmean"], se_rmean = mean[, "se(rmean)"]
    ),
    logrank_chisq = test$chisq, logrank_p = pchisq(test$chisq, 1, lower.tail = FALSE)
  )
}

# Binomial counts by factors: likelihood-ratio tests and the mean probability of each level.
deviance_numbers <- function(frame, factors, yes, total) {
  response <- sprintf("cbind(%s, %s - %s)", yes, total, yes)
  tests <- function(right) {
    table <- as.data.frame(Anova(glm(reformulate(right, response), binomial, frame)))
    rows_of(NULL, term = rownames(table), chisq = table[[1]], df = table$Df, p = table[[3]])
  }
  main <- glm(reformulate(factors, response), binomial, frame)
  probability <- lapply(setNames(factors, factors), function(f) {
    table <- as.data.frame(emmeans(main, f, type = "response"))
    rows_of(
      NULL,
      level = as.character(table[[f]]), prob = table$prob, se = table$SE, lo = table$asymp.LCL,
      hi = table$asymp.UCL
    )
  })
  list(
    engine = engine(c("car", "emmeans")), main = tests(factors),
    twofi = tests(sprintf("(%s)^2", paste(factors, collapse = "+"))),
    deviance = deviance(main), df = main$df.residual, emm_prob = probability,
    coef_sum_contrasts = as.list(coef(main))
  )
}

# Power ------------------------------------------------------------------------------------------

f_power <- function(effects, runs_a_level, sigma, df2) {
  df1 <- length(effects) - 1
  ncp <- runs_a_level * sum((effects - mean(effects))^2) / sigma^2
  power <- pf(qf(0.95, df1, df2), df1, df2, ncp, lower.tail = FALSE)
  list(df1 = df1, df2 = df2, lambda = ncp, power = power)
}

sign_flips <- function(d) {
  signs <- as.matrix(expand.grid(rep(list(c(-1, 1)), length(d))))
  sum(drop(signs %*% d) >= sum(d) - 1e-9)
}

power_numbers <- function() {
  fisher <- c(  # Benjamini and Hochberg (1995), their fifteen p-values
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719,
    0.6528, 0.759, 1
  )
  adjust <- function(p) list(p = p, holm = p.adjust(p, "holm"), BH = p.adjust(p, "BH"))
  a <- c(13.2, 8.2, 10.9, 14.3, 10.7, 6.6, 9.5, 10.8, 8.8, 13.3)  # boys' shoes, Box, Hunter and
  b <- c(14, 8.8, 11.2, 14.2, 11.8, 6.4, 9.8, 11.3, 9.3, 13.6)  # Hunter, Table 3.3
  count <- sign_flips(b - a)
  smallest <- setNames(lapply(2:10, function(k) 2 / 2^k), paste0("k=", 2:10))
  list(
    engine = engine(character()),
    power_t_test = list(n = power.t.test(delta = 1, sd = 1, power = 0.9)$n),
    power_t_paired = list(n = power.t.test(delta = 0.5, sd = 1, power = 0.8, type = "paired")$n),
    power_anova = list(
      list(n = power.anova.test(4, between.var = 1, within.var = 3, power = 0.8)$n),
      list(power = power.anova.test(4, 5, between.var = 1, within.var = 3)$power)
    ),
    factorial_power_noncentralF = list(
      list(out = f_power(c(-0.05, 0, 0.05), 72, 0.2, 187)),
      list(out = f_power(c(-0.03, 0.03), 108, 0.2, 187)),
      list(out = f_power(c(-0.15, 0.15), 8, 0.2, 10))
    ),
    p_adjust = list(adjust(c(0.01, 0.02, 0.03, 0.04, 0.05)), adjust(fisher)),
    tukey = list(
      qtukey_95_3_50 = qtukey(0.95, 3, 50), ptukey_3.5_3_50 = ptukey(3.5, 3, 50),
      qtukey_95_2_df2to11 = qtukey(0.95, 2, 2:11)
    ),
    bhh_shoes = list(
      A = a, B = b, sign_flip_exact_two_sided = 2 * count / 2^10, sign_flip_count_ge = count
    ),
    min_sign_flip_p_two_sided = smallest
  )
}
