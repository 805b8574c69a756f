"""Who is compared: each with one program for the function and one for the command.

A contestant's command is what a user types in the folder that holds the programs. Two cells run
side by side with each of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.own_trainers.workload import Job

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to run a grid of one's own.

    Attributes:
        name: as the raw data call it.
        label: as the page calls it.
        command: of a job and so many seeds of each learning rate.
        needs: module without which it cannot run; "": none but this project's own.
        ending: of the names of its programs.
    """

    name: str
    label: str
    command: Callable[[Job, int], list[str]]
    needs: str = ""
    ending: str = "py"

    def program(self, trainer: str) -> str:
        """The file that a user writes: of the function, or of the command."""
        return f"{trainer}.yaml" if self.ending == "yaml" else f"{self.name}_{trainer}.py"


def _script(name: str) -> Callable[[Job, int], list[str]]:
    return lambda job, seeds: [
        *(sys.executable, f"{name}_{job.trainer}.py", job.argument, str(seeds)),
    ]


def _hydra(job: Job, seeds: int) -> list[str]:
    argument = "kind" if job.trainer == "function" else "seconds"
    return [
        *(sys.executable, f"hydra_{job.trainer}.py", "--multirun", "hydra/launcher=joblib"),
        *(f"hydra.launcher.n_jobs={WORKERS}", f"{argument}={job.argument}", "lr=0.1,0.01"),
        "seed=" + ",".join(map(str, range(seeds))),
    ]


def _runner(job: Job, seeds: int) -> list[str]:
    argument = "kind" if job.trainer == "function" else "seconds"
    return [
        *(sys.executable, "-m", "runner", "grid", f"{job.trainer}.yaml", "--quiet", "--no-report"),
        *("--devices", "cpu", "--slots-per-device", str(WORKERS)),
        *("--storage", "ablations.db", "--results", "results"),
        *("--set", f"replicates={seeds}", "--set", f"fixed.{argument}={job.argument}"),
    ]


PEERS = (
    Contestant(
        "optuna", "Optuna GridSampler, `n_jobs=2` (threads), SQLite", _script("optuna"), "optuna"
    ),
    Contestant("ray", "Ray Tune, 2 concurrent trials", _script("ray"), "ray"),
    Contestant(
        "hydra",
        "Hydra multirun, joblib launcher, `n_jobs=2`",
        _hydra,
        "hydra_plugins.hydra_joblib_launcher",
    ),
)
RUNNER = Contestant("runner", "this runner, 2 slots", _runner, ending="yaml")
EVERYBODY = (*PEERS, RUNNER)
