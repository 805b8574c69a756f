"""Levels looked at as more than names: as numbers, and as changes of one combination.

axis           which factors are numbers, and on which scale
trends         linear and quadratic parts, and how other factors change them
optimum        the level that the fitted curve picks, with an interval
from_baseline  each change of one factor at a baseline, beside its effect in the whole grid
"""
