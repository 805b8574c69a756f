"""Effects of factors on one outcome: means, contrasts, tests, shares, aliases.

estimate         all of them, `Effects`       frames       the tables of estimates
variance_shares  of a complete grid           model_shares  of an incomplete one
crossover        kinds of interaction         best_set     not shown to be worse than the best
term_tests/      by each error model          aliases/     what cannot be told apart
standardised_effects  every term on one axis of |t|
"""
