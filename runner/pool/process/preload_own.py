"""Imported once by the fork server of a study whose trainer is a function or command of one's own.

Of libraries it imports what the trainer was seen to use and can be forked (`SHARED`): a child then
has them at once, and a trainer without torch never waits for it.
"""

import contextlib
import importlib
import os

from runner.pool.process.parent_death import PARENT, PRELOADED, die_with_parent

die_with_parent(int(os.environ[PARENT]) if PARENT in os.environ else None)

import runner.pool.process.child  # noqa: E402
import runner.trainers.command  # noqa: E402  its sibling comes with it
from runner.program.streams import prepare_streams  # noqa: E402

runner.pool.process.child.note_fork_server()
prepare_streams()  # cell processes inherit them: what a trainer prints ends no cell
for _name in filter(None, os.environ.get(PRELOADED, "").split(",")):
    with contextlib.suppress(Exception):  # the cells that import it themselves say what is wrong
        importlib.import_module(_name)
