"""Effects of factors on one outcome: means, contrasts, tests, shares, aliases.

estimate     all of them, `Effects`     frames    the tables of estimates
jumps        means of an outcome that falls to chance in some runs
crossover    kinds of interaction       best_set  not shown to be worse than the best
term_tests/  by each error model        aliases/  what cannot be told apart
shares/      of the variance            standardised_effects  all on one axis of |t|
shown        means within limits, terms without a test
same_runs    levels that did nothing   levels/  as numbers, as changes of a baseline
"""
