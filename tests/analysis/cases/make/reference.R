# Computes the expected numbers of the reference cases: `make reference`, or
# `Rscript tests/analysis/cases/make/reference.R [case ...]`. It reads each case's data.csv and the
# "fits" of its case.json and writes the files named there; data.R first writes the tables that are
# made.

options(contrasts = c("contr.sum", "contr.poly"), warn = 1)
own <- grep("^--file=", commandArgs(), value = TRUE)
scripts <- dirname(normalizePath(sub("^--file=", "", own)))
here <- dirname(scripts)
for (name in c("factorial.R", "others.R", "data.R")) source(file.path(scripts, name))

# One row of a table a line.
as_text <- function(x, pad = "") {
  compact <- function(y) {
    as.character(jsonlite::toJSON(y, auto_unbox = TRUE, digits = NA, na = "null", null = "null"))
  }
  nested <- is.list(x) && length(x) > 0 && any(vapply(x, is.list, NA) | lengths(x) > 1)
  if (!nested) return(compact(x))
  parts <- vapply(x, as_text, "", pad = paste0(pad, " "))
  if (!is.null(names(x))) parts <- paste0(vapply(names(x), compact, ""), ": ", parts)
  ends <- if (is.null(names(x))) c("[", "]") else c("{", "}")
  paste0(ends[1], "\n", paste0(pad, " ", parts, collapse = ",\n"), "\n", pad, ends[2])
}

write_json <- function(numbers, ...) writeLines(as_text(numbers), file.path(here, ...))

read_data <- function(case, about) {
  path <- file.path(here, case, "data.csv")
  frame <- read.csv(path, colClasses = "character", check.names = FALSE)
  inputs <- c(names(about$factors), about$block)
  for (name in setdiff(names(frame), inputs)) frame[[name]] <- as.numeric(frame[[name]])
  for (name in intersect(inputs, names(frame))) {
    levels <- unlist(about$factors[[name]])
    if (length(levels) < 2) levels <- unique(frame[[name]])
    frame[[name]] <- factor(frame[[name]], levels)
  }
  frame
}

run_case <- function(case) {
  about <- jsonlite::fromJSON(file.path(here, case, "case.json"), simplifyVector = FALSE)
  for (file in names(about$fits)) {
    said <- about$fits[[file]]
    if (is.character(said)) {
      numbers <- factorial_numbers(as.formula(said), read_data(case, about), about$block)
      if (!is.null(about$lenth[[file]])) {
        effects <- unlist(numbers$two_level_effects)
        write_json(list(engine = engine(character()), lenth_alpha05 = lenth_numbers(effects)),
                   case, about$lenth[[file]])
      }
    } else {
      arguments <- lapply(said$arguments, unlist)
      if (isTRUE(said$data)) arguments <- c(list(read_data(case, about)), arguments)
      numbers <- do.call(said$call, arguments)
    }
    write_json(numbers, case, file)
    cat(case, file, "\n")
  }
}

asked <- commandArgs(trailingOnly = TRUE)
write_solder()
write_simulated()
if (length(asked) == 0) asked <- basename(dirname(Sys.glob(file.path(here, "*", "case.json"))))
for (case in asked) run_case(case)
