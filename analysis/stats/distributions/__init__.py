"""Distributions that SciPy lacks, or computes too slowly to be called in a loop.

studentized_range  of Tukey and Games-Howell
lenth_limits       of Lenth's pseudo standard error
f_tails            where a probability underflows
"""
