"""Where the numbers of a command come from: its metrics file or what it prints."""

from __future__ import annotations

import json
from functools import cache

import pytest

from tests.faults.own.study import QUICKLY, bench_in, of_way, write

pytestmark = pytest.mark.fault

JSON_LINES = {
    "usual": '{"epoch": 1, "accuracy": 0.5}\n{"epoch": 2, "accuracy": 0.75}\n',
    "half_written": '{"epoch": 1, "accuracy": 0.75}\n{"epoch": 2, "accur',
    "no_last_newline": '{"epoch": 1, "accuracy": 0.5}\n{"epoch": 2, "accuracy": 0.75}',
    "steps_twice": "".join(
        f'{{"epoch": {epoch}, "accuracy": {value}}}\n'
        for epoch, value in ((1, 0.1), (2, 0.2), (3, 0.3), (2, 0.5), (3, 0.75))
    ),
    "one_list": '[{"step": 1, "accuracy": 0.5}, {"step": 2, "accuracy": 0.75}]',
    "one_object": '{\n  "accuracy": 0.75,\n  "note": "done",\n  "layers": [1, 2]\n}\n',
    "numbers_as_text": '{"epoch": "1", "accuracy": "0.75"}\n',
    "no_utf_8": '{"epoch": 1, "accuracy": 0.75, "note": "\udcff"}\n',
    "many_points": "".join(f'{{"step": {k}, "accuracy": 0.75}}\n' for k in range(5000)),
    "nan": '{"epoch": 1, "accuracy": 0.5}\n{"epoch": 2, "accuracy": NaN}\n',
    "without_the_response": '{"epoch": 1, "acuracy": 0.5}\n',
    "empty": "",
    "text": "accuracy 0.75\n",
}
CSV = {
    "usual": "epoch,accuracy,note\n1,0.5,\n2,0.75,good\n",
    "half_written": "epoch,accuracy\n1,0.75\n2,",
    "steps_twice": "epoch,accuracy\n1,0.2\n2,0.3\n1,0.5\n2,0.75\n",
    "crlf_and_bom": "\ufeffepoch,accuracy\r\n1,0.5\r\n2,0.75\r\n",
    "two_heads": "epoch,accuracy\n1,0.5\nepoch,accuracy\n2,0.75\n",
    "sparse": "step,accuracy,loss\n1,,0.3\n1,0.75,\n2,,0.2\n",
    "only_a_head": "epoch,accuracy\n",
}
PRINTED = {
    "usual": "epoch 1 acc 0.5\nepoch 2 acc 0.75\n",
    "percent": "epoch 1 acc 0.75%\n",
    "coloured_and_returned": "epoch 1 acc 0.5\r\nepoch 2 acc 0.75\n",
    "no_match": "nothing to see\n",
    "half_written": "epoch 1 acc 0.75\nepoch 2 ac",
}
PATTERN = r"^epoch (?P<epoch>\d+) acc (?P<accuracy>[\d.%]+)"
SCRIPT = """\
import sys
from pathlib import Path
texts = TEXTS
text = texts[sys.argv[1]].encode("utf-8", "surrogateescape")
sys.stdout.buffer.write(text) if sys.argv[2] == "-" else Path(sys.argv[2]).write_bytes(text)
"""
FORMS = {
    "jsonl": (JSON_LINES, "{folder}/metrics.jsonl"),
    "csv": (CSV, "{folder}/metrics.csv"),
    "stdout": (PRINTED, {"stdout": PATTERN}),
}
NOT_COMPLETE = {"without_the_response", "empty", "text", "only_a_head", "no_match"}
POINTS = {
    ("jsonl", "usual"): 2,
    ("jsonl", "steps_twice"): 3,
    ("jsonl", "many_points"): 5000,
    ("csv", "steps_twice"): 2,
    ("csv", "sparse"): 2,
    ("csv", "two_heads"): 2,
    ("stdout", "usual"): 2,
}
"""Points of a curve: a step that comes again, as after a resume, is the newer one's."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Form to runs of a grid whose cells write each of its texts; made when first asked for."""

    @cache
    def runs_of(form):
        texts, metrics = FORMS[form]
        folder = tmp_path_factory.mktemp(form)
        script = write(folder, SCRIPT.replace("TEXTS", ascii(texts)))
        where = "-" if form == "stdout" else metrics
        about = {
            "name": "own",
            "trainer": {"command": f"python {script} {{way}} {where}", "metrics": metrics},
            "factors": {"way": list(texts)},
            "responses": {"accuracy": {"better": "higher"}},
            "replicates": 1,
        }
        file = write(folder, json.dumps(about), "own.yaml")
        with bench_in(folder) as bench:
            code, output = bench.run("grid", file, "--no-report", **QUICKLY)
            assert code in (0, 3), output
            return bench.runs()

    return runs_of


@pytest.mark.parametrize(("form", "way"), [(form, way) for form in FORMS for way in FORMS[form][0]])
def test_a_cell_has_the_last_number_of_its_file(written, form, way):
    run = of_way(written(form), way)
    if way in NOT_COMPLETE:
        assert (run["state"], run["reason"]) == ("failed", "no_response"), run
        return
    assert run["state"] == "complete", run["detail"]
    if way == "nan":
        assert run["status"] == "diverged"
    else:
        assert (run["status"], run["responses"]["accuracy"]) == ("finished", 0.75)
        assert run["epochs_run"] == POINTS.get((form, way), run["epochs_run"])
