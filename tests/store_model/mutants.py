"""One-line changes of claims, leases, endings, recovery and planning, each of which must be found.

`surgery` applies them one by one to a copy of the package and says who found them.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A line of the store, and what it is changed into."""

    file: str  # below runner/store
    old: str  # occurs once
    new: str
    what: str


LEASING, ENDINGS, RECOVERY = "cells/leasing.py", "cells/endings.py", "cells/recovery.py"
LIVENESS, PLANNING, ADOPTION = "cells/liveness.py", "cells/planning.py", "cells/adoption.py"

MUTANTS = (
    # Claims
    Mutant(
        LEASING,
        ".where(cells.c.study_id == study_id, IS_WAITING)",
        ".where(cells.c.study_id == study_id, cells.c.planned)",
        "a claim takes cells that do not wait",
    ),
    Mutant(
        LEASING,
        ".order_by(cells.c.run_order, cells.c.id)",
        ".order_by(cells.c.id)",
        "claims follow the order of planning, not the run order",
    ),
    Mutant(
        LEASING,
        "claims=cells.c.claims + 1,",
        "claims=cells.c.claims,",
        "a claim does not number its attempt",
    ),
    Mutant(
        LEASING,
        '"round": row.round,',
        '"round": 0,',
        "attempts after a retry count as if they were before it",
    ),
    Mutant(LEASING, "if repeated and", "if False and", "a repeated claim takes other cells"),
    Mutant(
        LEASING,
        "cells.c.token.in_(tokens), cells.c.state == State.RUNNING)\n        taken",
        "cells.c.token.in_(tokens))\n        taken",
        "a repeated claim is given cells that were taken away meanwhile",
    ),
    Mutant(
        LEASING,
        "                beats=0,\n",
        "",
        "a new lease goes on with the last one's beats",
    ),
    Mutant(LEASING, "progress_epoch=None,", "", "a new attempt shows the last one's progress"),
    Mutant(LEASING, "if prefer:", "if not prefer:", "preferred cells are not preferred"),
    # Leases
    Mutant(
        LEASING,
        ".where(cells.c.token.in_(tokens), cells.c.state == State.RUNNING)\n            .order_by",
        ".where(cells.c.token.in_(tokens))\n            .order_by",
        "a beat of a cell that was taken away is not refused",
    ),
    Mutant(
        LEASING,
        "update(cells).where(cells.c.token.in_(still)).values(beats=cells.c.beats + 1, **length)",
        "update(cells).where(cells.c.token.in_(still)).values(**length or {'beats': 1})",
        "a beat does not count",
    ),
    Mutant(LIVENESS, "seen.beats != beats", "False", "a lease that beats runs out all the same"),
    Mutant(
        LIVENESS,
        "min(now - seen.when, seconds / self.LOOKS)",
        "now - seen.when",
        "time nobody watched runs leases out",
    ),
    Mutant(LIVENESS, "seen.still >= seconds", "seen.still > seconds", "a lease ends a look late"),
    Mutant(LIVENESS, "seen.when = now", "pass", "each look counts all time since the first"),
    Mutant(
        LIVENESS,
        "where == machine() and _started(int(pid)) != started",
        "_started(int(pid)) != started",
        "processes of other machines are taken for dead",
    ),
    # Endings
    Mutant(
        ENDINGS,
        "running = (cells.c.token == token, cells.c.state == State.RUNNING)",
        "running = (cells.c.token == token,)",
        "a late outcome is taken",
    ),
    Mutant(
        ENDINGS,
        ".where(cells.c.token == token, cells.c.state == State.RUNNING)\n        .with_for",
        ".where(cells.c.token == token)\n        .with_for",
        "a late failure is taken",
    ),
    Mutant(
        ENDINGS,
        "return _attempt_state(connection, token) == AttemptState.COMPLETE",
        "return False",
        "an outcome that was taken is refused when it is told again",
    ),
    Mutant(
        ENDINGS,
        "            attempts.c.round == cell.round,\n",
        "",
        "failures before a retry count after it",
    ),
    Mutant(
        ENDINGS,
        "            attempts.c.reason == reason,\n",
        "",
        "failures for other reasons count",
    ),
    Mutant(
        ENDINGS,
        "attempts.c.state.in_((AttemptState.FAILED, AttemptState.LOST))",
        "attempts.c.state != AttemptState.RUNNING",
        "attempts given back unfinished count",
    ),
    Mutant(
        ENDINGS, "again = retry and is_retried", "again = is_retried", "what is final is retried"
    ),
    Mutant(
        "cells/policy.py",
        "return ended < ATTEMPTS",
        "return ended <= ATTEMPTS",
        "every cell is tried once more",
    ),
    Mutant(
        ENDINGS,
        "status=None if again else status,",
        "status=status,",
        "a waiting cell looks failed",
    ),
    # Recovery
    Mutant(
        RECOVERY,
        "                cells.c.beats == one.beats,\n",
        "",
        "a cell that beat since the look is taken away",
    ),
    Mutant(
        RECOVERY,
        "if one.token in expired:",
        "if True:",
        "a killed run is charged to its cells",
    ),
    Mutant(
        RECOVERY,
        "    if row.token != token:\n        return Fate.NEEDLESS if failed else Fate.LEFT\n",
        "",
        "an outcome of an attempt before the last is adopted",
    ),
    Mutant(
        RECOVERY,
        'if last["reason"] == Reason.TIMEOUT:',
        "if False:",
        "a cell that timed out completes from its late file",
    ),
    Mutant(
        RECOVERY,
        "update(cells).where(cells.c.id == row.id).values(claims=cells.c.claims + 1)",
        "select(cells)",
        "an adopted outcome is not numbered as an attempt",
    ),
    # Not here: the round of an outcome found on disk. A count by rounds is of failures alone, and a
    # complete cell waits never again, so that nothing the store says would change.
    Mutant(
        RECOVERY,
        '        "trial_id": None,\n',
        "",
        "an outcome found on disk is told to the trial of the attempt that was given up",
    ),
    Mutant(
        RECOVERY,
        '        "mirrored": False,\n',
        "",
        "an outcome found on disk becomes no trial",
    ),
    Mutant(
        RECOVERY,
        "status=None, round=cells.c.round + 1",
        "status=None",
        "a retry does not start the count again",
    ),
    Mutant(
        RECOVERY,
        "cells.c.state == State.FAILED, cells.c.planned]",
        "cells.c.state == State.FAILED]",
        "a retry sends back cells that are out of the design",
    ),
    Mutant(
        "store.py",
        "elif fate is recovery.Fate.NEEDLESS:",
        "elif fate is not recovery.Fate.ADOPTED:",
        "outcome files that may still be adopted are removed",
    ),
    # Planning and adoption
    Mutant(
        PLANNING,
        "            planned=True,\n            labels",
        "            labels",
        "a cell that comes back into the design stays out of it",
    ),
    Mutant(
        ADOPTION,
        "            cells.c.state == State.WAITING,\n",
        "",
        "an outcome is adopted over a cell that trains",
    ),
    Mutant(
        ADOPTION,
        "            cells.c.adopted_from.is_(None),\n",
        "",
        "outcomes are adopted from cells that adopted them",
    ),
)
