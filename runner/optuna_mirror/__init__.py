"""The study as an Optuna study, for optuna-dashboard and Optuna's own tools: `Mirror`.

    mirror  one trial an attempt          attempts       an attempt as a trial's fields
    writes  trials written many at once   optuna_tables  Optuna's tables, made by Optuna
    reads   trials read many at once

The one room that knows Optuna's private tables; pyproject.toml bounds the versions it was read in.
"""
