"""Nuisance parameters tuned before the grid: which trials there are, and what they found.

groups    the levels that get values of their own, and the study of each group's trials
sampling  the next values to try, by Optuna
as_run    levels with the values that were found
trials    what was tried: scores, the best, as plain values
"""
