"""The study as an Optuna study, for optuna-dashboard and Optuna's own tools: `Mirror`.

    mirror  one trial an attempt              trials  an attempt as a trial's fields
    tables  Optuna's tables, made by Optuna   rows    trials written many at a time
    reads   trials read many at a time

The one room that knows Optuna's private tables; pyproject.toml bounds the versions it was read in.
"""
