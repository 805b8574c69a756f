"""Environment variables that the programs read, each with what it says.

Each is read where it matters; that this list is complete is held by `tests/docs`.
"""

from __future__ import annotations

VARIABLES = {
    "ABLATIONS_STORAGE": "SQLAlchemy URL of the store, such as postgresql://user:password@host/db; "
    "unset: results/ablations.db. A password belongs here, not on the command line.",
    "ABLATIONS_RESULTS": "Folder for logs, checkpoints and reports; unset: results.",
    "ABLATIONS_CACHE": "Folder of downloaded images and of what a machine measured once; unset: "
    "the user's cache folder.",
    "ABLATIONS_PLUGINS": "The one folder whose plugin files may be run; unset: any may.",
    "ABLATIONS_DASHBOARD_TOKEN": "Token that requests to the dashboard must show; unset: a random "
    "one, which is printed.",
    "ABLATIONS_LEASE_SECONDS": "A cell whose worker has been silent for so long is given to "
    "another; unset: 60.",
    "ABLATIONS_GRACE_SECONDS": "A cell stops itself at its time limit; so long after it, its "
    "process is killed; unset: 20.",
    "ABLATIONS_TERM_SECONDS": "So long may a command tidy up after SIGTERM; unset: 30.",
    "ABLATIONS_FAKE_DEVICES": "Devices to plan with instead of those of the machine, for trying "
    "out: cuda:4 or cpu:8.",
    "CUDA_VISIBLE_DEVICES": "The CUDA devices that are used; unset: all.",
}
"""What a person may set."""

INTERNAL = (
    "ABLATIONS_FORK_SERVER",
    "ABLATIONS_PARENT",
    "ABLATIONS_PRELOADED",
    "ABLATIONS_TIED",
)
"""What one process of the program tells another it starts."""
