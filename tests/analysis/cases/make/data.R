# Tables that are made and not typed: the solder experiment out of R's survival package (LGPL, so
# that git ignores the two folders), and a simulated experiment with the same kind of holes.

write_case <- function(case, frame, response, formulas, source, licence) {
  factors <- lapply(frame[setdiff(names(frame), response)], function(column) {
    as.list(unique(as.character(column)))
  })
  dir.create(file.path(here, case), showWarnings = FALSE)
  write.csv(frame, file.path(here, case, "data.csv"), row.names = FALSE, quote = FALSE)
  about <- list(
    id = case, source = source, licence = licence, response = response, factors = factors,
    block = NULL, fits = formulas
  )
  write_json(about, case, "case.json")
}

# 900 boards: 90 cells never ran and as many ran twice. The first board of each cell outside mask A6
# makes a full grid of 720.
write_solder <- function() {
  solder <- survival::solder[c("Opening", "Solder", "Mask", "PadType", "Panel", "skips")]
  main <- "sqrt(skips) ~ Opening + Solder + Mask + PadType + Panel"
  pairs <- "sqrt(skips) ~ (Opening + Solder + Mask + PadType + Panel)^2"
  source <- "Comizzoli, Landwehr and Sinclair, AT&T Technical J. 69 (1990); R's survival package"
  both <- list("computed_additive.json" = main, "computed_2fi_rank_deficient.json" = pairs)
  write_case("solder_5factor", solder, "skips", both, source, "LGPL")
  balanced <- solder[solder$Mask != "A6" & !duplicated(solder[names(solder) != "skips"]), ]
  write_case(
    "solder_balanced_720", balanced, "skips", list("computed.json" = pairs), source, "LGPL"
  )
}

# Poisson counts on a 3 x 2 x 4 x 5 x 2 grid. A pair of levels never ran (a1, b1 with c4: 10 cells)
# and its boards went to another, which therefore ran twice.
write_simulated <- function() {
  level <- function(name, n) paste0(name, seq_len(n))
  grid <- expand.grid(
    E = level("e", 2), D = level("d", 5), C = level("c", 4), B = level("b", 2), A = level("a", 3)
  )[5:1]
  hole <- with(grid, A == "a1" & B == "b1" & C == "c4")
  twice <- with(grid, A == "a3" & B == "b1" & C == "c4")
  frame <- rbind(grid[!hole, ], grid[twice, ])
  codes <- vapply(frame, as.integer, integer(nrow(frame)))
  set.seed(1)
  rate <- exp(0.4 * codes[, "A"] + 0.7 * codes[, "B"] - 0.2 * codes[, "D"] + 0.1 * codes[, "E"] +
    0.15 * codes[, "A"] * codes[, "C"] - 0.8)
  frame$y <- rpois(nrow(frame), rate)
  main <- "sqrt(y) ~ A + B + C + D + E"
  pairs <- "sqrt(y) ~ (A + B + C + D + E)^2"
  both <- list("computed_additive.json" = main, "computed_2fi_rank_deficient.json" = pairs)
  write_case("simulated_holes_5factor", frame, "y", both, "simulated by make/data.R", "MIT")
}
