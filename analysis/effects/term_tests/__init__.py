"""Tests of whole terms, by each error model.

anova            type I, II, III and HC3  welch_tests   every cell its own variance
replicate_tests  over replicates          joined_tests  by both parts of noise
deciding         those that verdicts rest on
"""
