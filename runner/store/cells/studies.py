"""Studies as the store knows them: their rows, and every specification they were registered with.

`register` may be called again and by several launchers at once: the same specification leaves the
same rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, String, inspect, select, type_coerce

from ablations.errors import InputError, did_you_mean
from runner.content.level import Level
from runner.store.columns.checked import DamagedValue, Words
from runner.store.columns.values import now
from runner.store.database.bulk import upsert
from runner.store.database.locks import postgresql_lock
from runner.store.database.tables import specs, studies


class StudyKey(NamedTuple):
    """What the store knows a study by."""

    id: int  # of its row
    name: str


@dataclass(frozen=True, slots=True)
class StudyInfo:
    """A registered study, as plain values."""

    name: str
    profile: str
    created: datetime  # aware, UTC
    factors: dict[str, list[str]]  # factor -> labels of its levels, both as declared
    levels: dict[str, dict[str, dict[str, Any]]]  # factor -> label -> {"name", "parameters"}
    replicates: int
    claims: list[str]
    spec: dict[str, Any]  # the resolved specification

    @property
    def spec_digest(self) -> str:
        """What attempts and reports name the specification by."""
        return spec_digest(self.spec)

    @property
    def data(self) -> dict[str, Any]:
        """The specification's data section."""
        return dict(self.spec.get("data", {}))

    @property
    def model(self) -> dict[str, Any]:
        """The specification's model section."""
        return dict(self.spec.get("model", {}))

    @property
    def train(self) -> dict[str, Any]:
        """The specification's train section."""
        return dict(self.spec.get("train", {}))


AnyStudy = str | StudyInfo
"""A study's full name, or what `Store.register` or `Store.find_study` returned."""


def name_of(study: AnyStudy) -> str:
    """The study's full name."""
    return study if isinstance(study, str) else study.name


def spec_digest(spec: Mapping[str, Any]) -> str:
    """16 hexadecimal digits of SHA-256 of a resolved specification, as JSON holds it."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def register(
    connection: Connection,
    *,
    name: str,
    profile: str,
    spec: Mapping[str, Any],
    factors: Mapping[str, Sequence[Level]],
    replicates: int,
    claims: Sequence[str] = (),
) -> StudyInfo:
    """Make the study, or bring it up to the specification as it is now.

    What the specification was before is kept beside it: attempts name the one they followed.

    Args:
        connection: A writing transaction.
        name: Full name of the study.
        profile: Profile it is run with.
        spec: The resolved specification as JSON values; kept as it is.
        factors: Varied factors with their levels, both in the order of the specification.
        replicates: How many.
        claims: Planned comparisons, as written.
    """
    row = {
        "profile": profile,
        "replicates": replicates,
        "factors": [[factor, [one.label for one in levels]] for factor, levels in factors.items()],
        "levels": {
            factor: {
                one.label: {"name": one.name, "parameters": dict(one.parameters)} for one in levels
            }
            for factor, levels in factors.items()
        },
        "claims": list(claims),
        "spec": dict(spec),
    }
    statement = upsert(connection, studies).values(name=name, created=now(connection), **row)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=row))
    _make_specs(connection)
    version = {
        "study_id": select(studies.c.id).where(studies.c.name == name).scalar_subquery(),
        "digest": spec_digest(spec),
        "created": now(connection),
        "spec": dict(spec),
    }
    connection.execute(upsert(connection, specs).values(**version).on_conflict_do_nothing())
    return _info(connection.execute(select(studies).where(studies.c.name == name)).one())


def _make_specs(connection: Connection) -> None:
    """Make the table of specifications where it is missing; safe for several launchers at once."""
    if inspect(connection).has_table(specs.name):
        return
    postgresql_lock(connection)
    specs.create(connection, checkfirst=True)


def spec_versions(connection: Connection, name: str) -> dict[str, dict[str, Any]]:
    """Every specification the study was registered with, by digest, oldest first."""
    if not inspect(connection).has_table(specs.name):
        return {}
    rows = connection.execute(
        select(specs.c.digest, specs.c.spec)
        .join(studies, studies.c.id == specs.c.study_id)
        .where(studies.c.name == name)
        .order_by(specs.c.created, specs.c.digest)
    )
    return {row.digest: row.spec for row in rows}


def study_names(connection: Connection) -> list[str]:
    """Name of every study, oldest first; of a damaged one too, as it can be read."""
    raw = type_coerce(studies.c.name, String)
    return [str(name) for name in connection.scalars(select(raw).order_by(studies.c.id))]


def load_study(connection: Connection, name: str) -> StudyInfo:
    """The study of that full name.

    Raises:
        InputError: there is none.
    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise DamagedValue(studies.name, "name", name, Words.expected) from None
    row = connection.execute(select(studies).where(studies.c.name == name)).first()
    if row is None:
        raise InputError(f"the store holds no study {name!r}")
    return _info(row)


def all_studies(connection: Connection) -> list[StudyInfo]:
    """Every study, oldest first."""
    return [_info(row) for row in connection.execute(select(studies).order_by(studies.c.id))]


def _info(row: Row[Any]) -> StudyInfo:
    factors = {factor: list(labels) for factor, labels in row.factors}
    for factor, labels in factors.items():
        if set(labels) != set(row.levels.get(factor, ())):
            expected = f"the levels of {factor}, {', '.join(labels)}"
            raise DamagedValue(studies.name, "levels", row.levels, expected, row.id)
    return StudyInfo(
        name=row.name,
        profile=row.profile,
        created=row.created,
        factors=factors,
        levels=row.levels,
        replicates=row.replicates,
        claims=row.claims,
        spec=row.spec,
    )


def find_study(names: Sequence[str], prefix: str, where: str) -> str:
    """The full name of the study called so, whole or as in its file, or of the only one so begun.

    Raises:
        InputError: none, or several.
    """
    if prefix in names:
        return prefix
    # NAME-PROFILE-DIGEST: of "vgg" and "vgg_more" the first is the one called "vgg".
    called = [name for name in names if name.rsplit("-", 2)[0] == prefix]
    fitting = called or [name for name in names if name.startswith(prefix)]
    # Studies of another's tuning stand below it: "NAME/tune/...".
    highest = min((name.count("/", len(prefix)) for name in fitting), default=0)
    fitting = [name for name in fitting if name.count("/", len(prefix)) == highest]
    if len(fitting) == 1:
        return fitting[0]
    if not names:
        raise InputError(f"the store {where} holds no study yet")
    if not fitting:
        raise InputError(f"no study {prefix!r} in {where}; {did_you_mean(prefix, names)}")
    raise InputError(f"{prefix!r} is the beginning of several studies: {', '.join(fitting)}")
