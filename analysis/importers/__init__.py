"""Runs that other tools kept, as studies: the same frame, the same effects, the same report.

runs         what a reader hands over: parameters and metrics of every run
roles        which parameter is a factor, a replicate, a constant, a name
labels       values as the text of levels, searched numbers as bins
readers/     the files of Optuna, W&B, MLflow, TensorBoard and Hydra
making       a study of the runs that were read, and what its notes say
tools        `from_optuna` and its siblings, for Python and for the command line

A reader says what its tool wrote and decides nothing; `roles` and `making` decide, for all alike.
The library of a tool is imported when its files are read, never before.
"""
