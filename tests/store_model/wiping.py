"""An empty store without making a new one: each life of the machine begins with it."""

from __future__ import annotations

from optuna.storages._rdb.models import BaseModel
from sqlalchemy import Connection, inspect

from runner.store.database.connections import Database
from runner.store.database.tables import evidence, metadata, specs, version

KEPT = {version.name, "version_info", "alembic_version"}
TABLES = [
    *reversed(BaseModel.metadata.sorted_tables),
    specs,
    evidence,
    *reversed(metadata.sorted_tables),
]


def wipe(database: Database) -> None:
    """Delete every row of the store and of its mirror."""
    database.write(_wipe)


def _wipe(connection: Connection) -> None:
    there = set(inspect(connection).get_table_names())
    for table in TABLES:
        if table.name in there - KEPT:
            connection.execute(table.delete())
