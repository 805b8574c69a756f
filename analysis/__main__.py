"""`python -m analysis`."""

import sys

import _ablate

_ablate.begin()

from analysis.commands import main  # noqa: E402 - found by `begin`
from runner.program.streams import prepare_streams  # noqa: E402 - found by `begin`

prepare_streams()
sys.exit(main())
