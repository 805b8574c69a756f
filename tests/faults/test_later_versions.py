"""A package of which private parts are used, as a later release may be: without them."""

from __future__ import annotations

import pytest

from tests.faults.harness import finish, specification

WITHOUT_NOTES = """
import sys
if __name__ == "__main__":
    import optuna_dashboard._note
    del optuna_dashboard._note.save_note_with_version
    from runner.commands import main
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.long
def test_x6_a_grid_reports_although_its_page_in_the_dashboard_cannot_be_made(bench, tmp_path):
    (tmp_path / "later.py").write_text(WITHOUT_NOTES)
    run = bench.program(tmp_path / "later.py", "grid", specification(tmp_path, replicates=1))
    code, output = finish(run)
    assert code == 0, output
    assert "no page of the study in this optuna-dashboard: cannot import name" in output
    assert "Traceback" not in output
    assert list(bench.results.glob("*/report.html"))
    bench.assert_exact(4)
