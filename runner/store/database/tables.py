"""The store's tables. No statement is run here.

Optuna's tables lie beside them in the same database once a study is mirrored; Optuna has a table
`studies`, which is why ours is called `ablation_studies`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from runner.content.outcome import Reason, Status
from runner.probe.record import is_evidence
from runner.store.columns.checked import (
    BigCount,
    Checked,
    Count,
    JsonText,
    OneOf,
    Real,
    UtcTime,
    Words,
    are_factors,
    are_labels,
    are_levels,
    are_texts,
    is_provenance,
    is_specification,
)
from runner.store.columns.states import AttemptState, State

SPECIFICATION = ("the sections data, model and train", is_specification)
LABELS = ("factor to the label of its level", are_labels)
PROVENANCE = ("what is known of where it ran", is_provenance)

metadata = MetaData()
Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in INTEGER keys

version = Table("ablation_schema", metadata, Column("version", Integer, primary_key=True))

studies = Table(
    "ablation_studies",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("name", Words(255), nullable=False, unique=True),
    Column("profile", Words(), nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("replicates", Count(1), nullable=False),
    Column(
        "factors", JsonText("factors with the labels of their levels", are_factors), nullable=False
    ),  # [[factor, [label, ...]], ...] as declared
    Column(
        "levels", JsonText("factor to label to name and parameters", are_levels), nullable=False
    ),  # factor -> label -> {name, parameters}
    Column("claims", JsonText("a list of claims", are_texts), nullable=False),
    Column("spec", JsonText(*SPECIFICATION), nullable=False),
)

# Every version of a study's specification that was ever registered: attempts name theirs. It came
# later, so the first registration makes it: apart from `metadata`, which a new store is made of.
specs = Table(
    "ablation_specs",
    MetaData(),
    Column("study_id", ForeignKey(studies.c.id), primary_key=True),
    Column("digest", Words(16), primary_key=True),  # runner.store.cells.studies.spec_digest
    Column("created", UtcTime, nullable=False),
    Column("spec", JsonText(*SPECIFICATION), nullable=False),
)

# What an outcome leaves in a cell's row: columns named as `Outcome`'s fields.
OUTCOME_FLOATS = {
    "test_accuracy": (0, 1),
    "test_loss": (),
    "best_validation_accuracy": (0, 1),
    "final_validation_accuracy": (0, 1),
    "seconds": (0,),
    "cpu_seconds": (0,),
}
"""With the least and the most that each may be."""
OUTCOME_INTEGERS = {
    "test_correct": 0,
    "n_test": 1,
    "classes": 1,
    "epochs_to_target": 1,
    "epochs_run": 0,
    "epochs_budget": 1,
    "diverged_epoch": 0,
    "peak_memory_bytes": 0,
    "parameters": 0,
    "train_images": 0,
}
"""With the least that each may be."""

# The design and its state. Narrow, so that counting 100,000 of them is fast; what a cell contains
# is beside it, in cell_contents.
cells = Table(
    "cells",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("study_id", ForeignKey("ablation_studies.id"), nullable=False),
    Column("cell", Words(16), nullable=False),  # Cell.id
    Column("replicate", Count(), nullable=False),
    Column("run_order", Count(), nullable=False),
    Column("planned", Boolean, nullable=False),  # False: the specification no longer holds it
    Column("labels", JsonText(*LABELS), nullable=False),
    Column("state", OneOf(State, 8), nullable=False),  # runner.store.cells.leasing.State
    Column("status", OneOf(Status, 16)),
    Column("reason", OneOf(Reason, 16)),
    Column("detail", Words()),
    Column("claims", Count(), nullable=False),  # how often it was claimed: numbers its attempts
    Column("round", Count(), nullable=False),  # raised by `retry`: older failures count no more
    Column("token", Words(32)),  # fence of the current or last lease
    Column("beats", Count(), nullable=False),  # rises while the lease lives
    Column("lease_seconds", Real(0)),
    Column("progress_epoch", Count()),
    Column("progress_accuracy", Real()),  # the number that its progress is shown by
    *(Column(name, Real(*ends)) for name, ends in OUTCOME_FLOATS.items()),
    *(Column(name, BigCount(least)) for name, least in OUTCOME_INTEGERS.items()),
    Column("notes", JsonText("a list of notes", are_texts)),
    # The cell of another study with the same content whose outcome this is: its curve lies there.
    Column("adopted_from", ForeignKey("cells.id")),
    UniqueConstraint("study_id", "cell"),
)
# Partial indexes serve a query only if it says their condition in the same words: bound parameters
# and SQLAlchemy's own booleans would not do, so both use these texts.
IS_WAITING = text("cells.state = 'waiting' AND cells.planned")
IS_RUNNING = text("cells.state = 'running'")

Index(
    "cells_waiting",
    cells.c.study_id,
    cells.c.run_order,
    cells.c.id,
    sqlite_where=text("state = 'waiting' AND planned"),
    postgresql_where=text("state = 'waiting' AND planned"),
)
Index(
    "cells_running",
    cells.c.study_id,
    cells.c.token,
    sqlite_where=text("state = 'running'"),
    postgresql_where=text("state = 'running'"),
)
Index("cells_token", cells.c.token, unique=True)
Index(
    "cells_adopted",
    cells.c.study_id,
    sqlite_where=text("adopted_from IS NOT NULL"),
    postgresql_where=text("adopted_from IS NOT NULL"),
)

contents = Table(
    "cell_contents",
    metadata,
    Column("study_id", ForeignKey("ablation_studies.id"), primary_key=True),
    Column("cell", Words(16), primary_key=True),
    Column("content", Words(), nullable=False),  # Cell.to_json()
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("study_id", ForeignKey("ablation_studies.id"), nullable=False),
    Column("cell_id", ForeignKey("cells.id"), nullable=False),
    Column("number", Count(1), nullable=False),  # 1, 2, ... within the cell
    Column("round", Count(), nullable=False),
    Column("token", Words(32), nullable=False, unique=True),
    Column(
        "state", OneOf(AttemptState, 8), nullable=False
    ),  # runner.store.cells.leasing.AttemptState
    Column("status", OneOf(Status, 16)),
    Column("reason", OneOf(Reason, 16)),
    Column("detail", Words()),
    Column("worker", Words(), nullable=False),
    Column("slot", Words(), nullable=False),
    Column("device", Words(), nullable=False),
    Column("host", Words(), nullable=False),
    Column("pid", Count(), nullable=False),
    Column(
        "owner", Words(), nullable=False
    ),  # identity of the process: runner.store.cells.liveness
    Column("started", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("seconds", Real(0)),  # of the training
    Column("log", Words()),
    Column("provenance", JsonText(*PROVENANCE), nullable=False),
    Column("trial_id", Count()),  # of the Optuna trial that mirrors it
    Column("mirrored", Boolean, nullable=False),  # whether the trial was told the end
    UniqueConstraint("cell_id", "number"),
)
Index(
    "attempts_to_mirror",
    attempts.c.study_id,
    attempts.c.id,
    sqlite_where=text("NOT mirrored"),
    postgresql_where=text("NOT mirrored"),
)

# One row an epoch of the attempt that finished the cell.
epochs = Table(
    "epochs",
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("epoch", Count(), primary_key=True),
    Column("train_loss", Real()),
    Column("train_accuracy", Real(0, 1)),
    Column("validation_loss", Real()),
    Column("validation_accuracy", Real(0, 1)),
    Column("learning_rate", Real()),
    Column("gradient_norm", Real()),
    Column("seconds", Real(0)),
    Column("images_per_second", Real(0)),
)

# What a trainer of one's own ended with, and its curves; since schema version 3.
responses = Table(
    "cell_responses",
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("name", Words(200), primary_key=True),
    Column("value", Real(), nullable=False),
)
points = Table(
    "cell_points",
    metadata,
    Column("cell_id", ForeignKey("cells.id"), primary_key=True),
    Column("name", Words(200), primary_key=True),
    Column("step", BigCount(), primary_key=True),
    Column("value", Real(), nullable=False),
)
SINCE_3 = (responses, points)

# What the layers of a cell did, as the shipped trainer saw it. Made by the first outcome that has
# some, as `specs` by the first registration: a store without it is read as one that has none, and
# programs of before neither miss nor touch it.
evidence = Table(
    "cell_evidence",
    MetaData(),
    Column("cell_id", ForeignKey(cells.c.id), primary_key=True),
    Column("evidence", JsonText("what the layers of a cell did", is_evidence), nullable=False),
)

for table in (*metadata.sorted_tables, specs, evidence):
    for column in table.columns:
        if isinstance(column.type, Checked):
            column.type.place = (table.name, column.name)
