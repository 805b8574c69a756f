"""Optuna's own tables in the store: made once by Optuna, written as rows (`writes`, decision 031).

The storage's constructor refuses a schema other than the installed Optuna's before anything here
touches its tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.storages import RDBStorage
from sqlalchemy import (
    Connection,
    DateTime,
    Enum,
    Float,
    Integer,
    NullPool,
    Text,
    column,
    inspect,
    select,
    table,
    update,
)
from sqlalchemy.exc import DBAPIError

from ablations.errors import InputError
from runner.store.database.bulk import upsert
from runner.store.database.connections import BUSY_SECONDS, Database, is_passing, sentence
from runner.store.database.locks import postgresql_lock, sqlite_lock
from runner.store.database.outages import StoreUnavailable

STUDIES = table("studies", column("study_id"), column("study_name"))
TRIALS = table(
    "trials",
    column("trial_id"),
    column("number"),
    column("study_id"),
    column("state", Enum("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING", name="trialstate")),
    column("datetime_start", DateTime),
    column("datetime_complete", DateTime),
)
VALUES = table(
    "trial_values",
    column("trial_id", Integer),
    column("objective", Integer),
    column("value", Float(53)),
    column("value_type", Enum("FINITE", "INF_POS", "INF_NEG", name="trialvaluetype")),
)
PARAMS = table(
    "trial_params",
    column("param_id", Integer),
    column("trial_id", Integer),
    column("param_name", Text),
    column("param_value", Float(53)),
    column("distribution_json", Text),
)
STUDY_ATTRIBUTES = table(
    "study_system_attributes", column("study_id"), column("key"), column("value_json")
)
STUDY_USER_ATTRIBUTES = table(
    "study_user_attributes", column("study_id"), column("key"), column("value_json")
)
ATTRIBUTES = table(
    "trial_user_attributes",
    column("trial_id", Integer),
    column("key", Text),
    column("value_json", Text),
)
SYSTEM_ATTRIBUTES = table(
    "trial_system_attributes",
    column("trial_id", Integer),
    column("key", Text),
    column("value_json", Text),
)
INTERMEDIATE = table(
    "trial_intermediate_values",
    column("trial_id", Integer),
    column("step", Integer),
    column("intermediate_value", Float(53)),
    column(
        "intermediate_value_type",
        Enum("FINITE", "INF_POS", "INF_NEG", "NAN", name="trialintermediatevaluetype"),
    ),
)


def open_storage(database: Database, kind: type[RDBStorage] = RDBStorage) -> RDBStorage:
    """Optuna's storage, or a kind of it, on the store's database, its tables made if need be.

    Its connections are opened here, so that the password is neither in its URL nor formatted by
    it (Optuna runs `str.format` over the URL, which fails on a brace).
    """
    engine = database.engine
    arguments, given = engine.dialect.create_connect_args(engine.url)
    options: dict[str, Any] = dict(given)
    if database.address.is_sqlite:
        options |= {"timeout": BUSY_SECONDS, "check_same_thread": False}
        bare = "sqlite://"
    else:
        options |= {"options": "-c timezone=utc"}
        bare = "postgresql+psycopg://"

    def connect() -> Any:
        return engine.dialect.connect(*arguments, **options)

    def make() -> RDBStorage:
        return kind(bare, engine_kwargs={"creator": connect, "poolclass": NullPool})

    if database.read(_is_made):
        return make()
    # Optuna's own making of its tables fails when two processes do it at once.
    with sqlite_lock(database.address), _said_as(database):
        if database.address.is_sqlite:
            return make()
        with engine.begin() as connection:
            postgresql_lock(connection)
            return make()


@contextmanager
def _said_as(database: Database) -> Iterator[None]:
    """What goes wrong on Optuna's own connection is said as of the store's."""
    try:
        yield
    except DBAPIError as error:
        database.raise_final(error)
        if not is_passing(error):
            raise
        raise StoreUnavailable(
            f"the store {database.address} takes no tables of trials: {sentence(error)}"
        ) from None


def _is_made(connection: Connection) -> bool:
    """Whether Optuna's tables are there: it writes its schema version last."""
    stamp = table("alembic_version", column("version_num"))
    if not inspect(connection).has_table(stamp.name):
        return False
    return connection.scalar(select(stamp.c.version_num)) is not None


def stored_choices(connection: Connection, study_id: int, name: str) -> tuple[str, ...] | None:
    """The choices Optuna holds new values of the parameter against; None before the first."""
    first = connection.scalar(
        select(PARAMS.c.distribution_json)
        .join(TRIALS, TRIALS.c.trial_id == PARAMS.c.trial_id)
        .where(TRIALS.c.study_id == study_id, PARAMS.c.param_name == name)
        .order_by(TRIALS.c.trial_id)  # by an index: a study has 100,000 parameters
        .limit(1)
    )
    if first is None:
        return None
    distribution = optuna.distributions.json_to_distribution(first)
    if not isinstance(distribution, CategoricalDistribution):
        raise InputError(
            f"a trial added by hand uses the parameter {name!r} as {type(distribution).__name__}: "
            "remove it from the study in optuna-dashboard"
        )
    return tuple(str(choice) for choice in distribution.choices)


def widen(connection: Connection, study_id: int, name: str, wider: CategoricalDistribution) -> None:
    """Write the longer list of choices into every trial of the study."""
    ours = select(TRIALS.c.trial_id).where(TRIALS.c.study_id == study_id)
    connection.execute(
        update(PARAMS)
        .where(PARAMS.c.param_name == name, PARAMS.c.trial_id.in_(ours))
        .values(distribution_json=optuna.distributions.distribution_to_json(wider))
    )


def study_number(connection: Connection, name: str) -> int | None:
    """Optuna's number of the study; None before it is mirrored."""
    number = connection.scalar(select(STUDIES.c.study_id).where(STUDIES.c.study_name == name))
    return None if number is None else int(number)


def set_study_attributes(
    connection: Connection, study_id: int, attributes: Mapping[str, Any]
) -> None:
    """Give a study system attributes, or other values to those it has.

    Optuna's function is a transaction an attribute, and the dashboard writes thousands.
    """
    if attributes:
        insertion = upsert(connection, STUDY_ATTRIBUTES)
        connection.execute(
            insertion.on_conflict_do_update(
                index_elements=["study_id", "key"],
                set_={"value_json": insertion.excluded.value_json},
            ),
            [
                {"study_id": study_id, "key": key, "value_json": json.dumps(value)}
                for key, value in attributes.items()
            ],
        )


def study_attributes(connection: Connection, study_id: int, prefix: str) -> dict[str, Any]:
    """The study's system attributes whose keys begin so."""
    rows = connection.execute(
        select(STUDY_ATTRIBUTES.c.key, STUDY_ATTRIBUTES.c.value_json).where(
            STUDY_ATTRIBUTES.c.study_id == study_id,
            STUDY_ATTRIBUTES.c.key.startswith(prefix, autoescape=True),
        )
    )
    return {row.key: json.loads(row.value_json) for row in rows}
