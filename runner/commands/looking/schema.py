"""`schema`: the JSON Schema of the specification file, for editors."""

from __future__ import annotations

import argparse
import json

EXAMPLES = """examples:
  python -m runner schema > schema.json
  # then, as the first line of a specification:
  # yaml-language-server: $schema=schema.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb has no options."""


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from runner.spec.reading.json_schema import schema

    print(json.dumps(schema(), indent=2))
    return 0
