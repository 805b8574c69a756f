"""`from_optuna` and its siblings: what a person calls, and what `--from` reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from ablations.errors import InputError, did_you_mean
from analysis.importers.making import Said, study_of
from analysis.importers.readers import (
    hydra_jobs,
    mlflow_runs,
    optuna_trials,
    tensorboard_runs,
    wandb_runs,
)
from analysis.importers.runs import Runs

if TYPE_CHECKING:
    import optuna

    from analysis.study import Study


def from_optuna(
    study_or_url: optuna.Study | str | Path, study: str | None = None, **said: Unpack[Said]
) -> Study:
    """The trials of an Optuna study as a study.

    Parameters with few values are factors, one called seed is the replicate, the objective is the
    outcome with its direction. Pruned and failed trials are counted as lost.

    Args:
        study_or_url: a study in memory, the URL of its database ("sqlite:///study.db"), or the
            path of an SQLite or journal file.
        study: its name, where the database has several.
        said: what is not to be told from the trials: factors, response, replicate, bins, only,
            claims, higher_is_better, equivalent, name (see `making.Said`).

    Raises:
        InputError: no such study, no result, or a parameter that is no factor as it is.
    """
    return study_of(optuna_trials.read(study_or_url, study), said)


def from_wandb(export: str | Path, project: str | None = None, **said: Unpack[Said]) -> Study:
    """Runs of Weights & Biases as a study.

    Args:
        export: a folder that has runs, online or offline: `wandb`; or a CSV export of the table of
            runs, which does not say what is a setting and what a result: `factors` and `response`
            must then be named.
        project: its name, where a folder has runs of several.
        said: see `from_optuna`.

    Raises:
        InputError: no runs there, no result, or a parameter that is no factor as it is.
    """
    return study_of(wandb_runs.read(export, project), said)


def from_mlflow(folder: str | Path, experiment: str | None = None, **said: Unpack[Said]) -> Study:
    """Runs of an MLflow experiment as a study.

    Args:
        folder: `mlruns`, the folder that it or `mlflow.db` is in, or a tracking URI.
        experiment: its name, where several have runs.
        said: see `from_optuna`.

    Raises:
        InputError: no runs there, no result, or a parameter that is no factor as it is.
    """
    return study_of(mlflow_runs.read(folder, experiment), said)


def from_tensorboard(folder: str | Path, **said: Unpack[Said]) -> Study:
    """Runs that wrote hyperparameters (`add_hparams`) and scalars for TensorBoard as a study.

    Args:
        folder: with a folder of event files a run.
        said: see `from_optuna`.

    Raises:
        InputError: no runs there, no result, or a parameter that is no factor as it is.
    """
    return study_of(tensorboard_runs.read(folder), said)


def from_hydra(multirun_folder: str | Path, **said: Unpack[Said]) -> Study:
    """Jobs of a Hydra sweep as a study: what they overrode, and the JSON or CSV files they wrote.

    Args:
        multirun_folder: multirun/DATE/TIME, or one above it.
        said: see `from_optuna`.

    Raises:
        InputError: no jobs there, no result, or a parameter that is no factor as it is.
    """
    return study_of(hydra_jobs.read(multirun_folder), said)


READERS: dict[str, Callable[..., Runs]] = {
    "optuna": optuna_trials.read,
    "wandb": wandb_runs.read,
    "mlflow": mlflow_runs.read,
    "tensorboard": tensorboard_runs.read,
    "hydra": hydra_jobs.read,
}
NAMED_WITHIN = {"optuna": "study", "wandb": "project", "mlflow": "experiment"}
"""Tools of which one source holds several sweeps, and what they call one."""


def from_tool(words: list[str], said: Said) -> Study:
    """The study that `--from TOOL SOURCE [NAME]` names.

    Raises:
        InputError: no such tool, or words that it does not take.
    """
    tool, *rest = words
    if tool not in READERS:
        raise InputError(f"--from {tool}: no such tool; {did_you_mean(tool, READERS)}")
    most = 2 if tool in NAMED_WITHIN else 1
    if not 1 <= len(rest) <= most:
        name = f" [{NAMED_WITHIN[tool].upper()}]" if tool in NAMED_WITHIN else ""
        raise InputError(f"--from {' '.join(words)}: expected --from {tool} SOURCE{name}")
    return study_of(READERS[tool](*rest), said)
