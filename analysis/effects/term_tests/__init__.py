"""Tests of whole terms, by each error model.

anova            type I, II, III, HC3            welch_tests           own variances
replicate_tests  over replicates                 standardised_effects  all on one axis of |t|
"""
