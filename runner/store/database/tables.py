"""The store's tables. No statement is run here.

Optuna's tables lie beside them in the same database once a study is mirrored; Optuna has a table
`studies`, which is why ours is called `ablation_studies`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime in UTC on every database; SQLite has no time zones of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """A value kept as JSON text, which reads the same in every database and by eye."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Store as compact JSON."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read back."""
        return None if value is None else json.loads(value)


metadata = MetaData()
Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in INTEGER keys

version = Table("ablation_schema", metadata, Column("version", Integer, primary_key=True))

studies = Table(
    "ablation_studies",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("profile", Text, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("replicates", Integer, nullable=False),
    Column("factors", JsonText, nullable=False),  # [[factor, [label, ...]], ...] as declared
    Column("levels", JsonText, nullable=False),  # factor -> label -> {name, parameters}
    Column("claims", JsonText, nullable=False),
    Column("spec", JsonText, nullable=False),
)

# Every version of a study's specification that was ever registered: attempts name theirs. It came
# later, so the first registration makes it: apart from `metadata`, which a new store is made of.
specs = Table(
    "ablation_specs",
    MetaData(),
    Column("study_id", ForeignKey(studies.c.id), primary_key=True),
    Column("digest", String(16), primary_key=True),  # runner.store.cells.studies.spec_digest
    Column("created", UtcTime, nullable=False),
    Column("spec", JsonText, nullable=False),
)

# What an outcome leaves in a cell's row: columns named as `Outcome`'s fields.
OUTCOME_FLOATS = (
    "test_accuracy",
    "test_loss",
    "best_validation_accuracy",
    "final_validation_accuracy",
    "seconds",
    "cpu_seconds",
)
OUTCOME_INTEGERS = (
    "test_correct",
    "n_test",
    "classes",
    "epochs_to_target",
    "epochs_run",
    "epochs_budget",
    "diverged_epoch",
    "peak_memory_bytes",
    "parameters",
    "train_images",
)

# The design and its state. Narrow, so that counting 100,000 of them is fast; what a cell contains
# is beside it, in cell_contents.
cells = Table(
    "cells",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("study_id", ForeignKey("ablation_studies.id"), nullable=False),
    Column("cell", String(16), nullable=False),  # Cell.id
    Column("replicate", Integer, nullable=False),
    Column("run_order", Integer, nullable=False),
    Column("planned", Boolean, nullable=False),  # False: the specification no longer holds it
    Column("labels", JsonText, nullable=False),
    Column("state", String(8), nullable=False),  # runner.store.cells.leasing.State
    Column("status", String(16)),
    Column("reason", String(16)),
    Column("detail", Text),
    Column("claims", Integer, nullable=False),  # how often it was claimed: numbers its attempts
    Column("round", Integer, nullable=False),  # raised by `retry`: older failures count no more
    Column("token", String(32)),  # fence of the current or last lease
    Column("beats", Integer, nullable=False),  # rises while the lease lives
    Column("lease_seconds", Float),
    Column("progress_epoch", Integer),
    Column("progress_accuracy", Float),
    *(Column(name, Float) for name in OUTCOME_FLOATS),
    *(Column(name, BigInteger) for name in OUTCOME_INTEGERS),
    Column("notes", JsonText),
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
    Column("cell", String(16), primary_key=True),
    Column("content", Text, nullable=False),  # Cell.to_json()
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("study_id", ForeignKey("ablation_studies.id"), nullable=False),
    Column("cell_id", ForeignKey("cells.id"), nullable=False),
    Column("number", Integer, nullable=False),  # 1, 2, ... within the cell
    Column("round", Integer, nullable=False),
    Column("token", String(32), nullable=False, unique=True),
    Column("state", String(8), nullable=False),  # runner.store.cells.leasing.AttemptState
    Column("status", String(16)),
    Column("reason", String(16)),
    Column("detail", Text),
    Column("worker", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("owner", Text, nullable=False),  # identity of the process: runner.store.cells.liveness
    Column("started", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("seconds", Float),  # of the training
    Column("log", Text),
    Column("provenance", JsonText, nullable=False),
    Column("trial_id", Integer),  # of the Optuna trial that mirrors it
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
    Column("epoch", Integer, primary_key=True),
    Column("train_loss", Float),
    Column("train_accuracy", Float),
    Column("validation_loss", Float),
    Column("validation_accuracy", Float),
    Column("learning_rate", Float),
    Column("gradient_norm", Float),
    Column("seconds", Float),
    Column("images_per_second", Float),
)
