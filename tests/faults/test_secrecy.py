"""Fault matrix, row X1, and the rest of the security promises, through whole runs.

The PostgreSQL of the tests has a password with `{`, `%`, `@`, a quote, a colon and a slash.
"""

from __future__ import annotations

import contextlib
import signal
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from sqlalchemy import inspect, text

from runner.commands.running.grid import register_design
from runner.design import design_of
from runner.spec import load_spec
from runner.store import open_store
from tests.faults.harness import ROOT, Bench, finish, specification
from tests.postgres import PASSWORD, PostgresServer
from tests.store_contract.test_secrets import shows

pytestmark = [pytest.mark.fault, pytest.mark.slow]

GUESSED = "gu{ess}%ed@'"

LOUD = """\
import logging, sys, traceback
import optuna
from runner.commands import main
if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
    optuna.logging.enable_propagation()
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    try:
        code = main(sys.argv[1:])
    except Exception:
        traceback.print_exc()
        code = 1
    print("exit code", code)
    sys.exit(code)
"""
"""`python -m runner` with every logger at DEBUG and its bugs printed in full."""


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    program = tmp_path / "loud.py"
    program.write_text(LOUD)
    return program


def assert_no_password(what: str, said: str) -> None:
    for password in (PASSWORD, GUESSED):
        for form in (password, quote(password, safe=""), quote(password)):
            assert form not in said, f"{what} shows the password"
    assert not shows(said), what


@pytest.mark.long
@pytest.mark.timeout(600)
def test_x1_a_whole_life_at_debug_shows_no_password(postgres_bench: Bench, tmp_path, loud):
    """Logs, arguments, checkpoints, report, exports, and all the database holds."""
    file = specification(
        tmp_path,
        replicates=1,
        factors={"init": ["he", "xavier", "raises_unpicklable"], "optimizer": ["adam", "sgd"]},
        train={"epochs": 4, "checkpoint_epochs": 1},
    )
    bench = postgres_bench
    seen: dict[str, str] = {}
    run = bench.program(loud, "grid", file, PYTHONPATH=str(ROOT))
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(finish, run, 500)
        while wait([ended], timeout=0.1).not_done:
            for process in bench.living():
                with contextlib.suppress(psutil.NoSuchProcess):
                    words = " ".join(process.cmdline())
                    seen[f"the command line {words}"] = words
            for path in bench.results.rglob("checkpoints/*"):
                with contextlib.suppress(OSError):
                    seen[path.name] = path.read_bytes().decode("latin-1")
        code, seen["the run's output"] = ended.result()
    assert code == 3, seen["the run's output"][-2000:]
    assert "DEBUG:" in seen["the run's output"], "loggers were loud indeed"
    assert any(name.endswith(".pt") for name in seen), "no checkpoint was looked into"
    bench.assert_exact(6, failed={"bug": 2})
    study = bench.store().studies()[0].name
    for command in (("status", study), ("show", bench.runs()[0]["cell"]), ("retry", study),
                    ("export", study, "--out", tmp_path / "tables")):  # fmt: skip
        code, seen[command[0]] = finish(bench.program(loud, *command, PYTHONPATH=str(ROOT)))
        assert code == 0, seen[command[0]]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            seen[str(path)] = path.read_bytes().decode("latin-1")
    assert any(name.endswith("report.html") for name in seen)
    assert any(name.endswith(".log") for name in seen)
    engine = bench.store().database.engine
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            seen[f"table {table}"] = "\n".join(map(str, rows))
    for what, said in seen.items():
        assert_no_password(what, said)


@pytest.mark.long
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("password", 2),
        ("database", 2),
        ("driver", 2),
        ("port", 2),
        ("not quoted", 2),
        ("nobody listens", 4),
        ("stopped", 4),
    ],
)
def test_x1_no_error_at_debug_shows_the_password(
    postgres_server: PostgresServer, postgres_url: str, tmp_path, loud, wrong, code
):
    address = {
        "password": postgres_server.url("postgres", GUESSED),
        "database": postgres_url + "_not_there",
        "driver": postgres_url.replace("postgresql://", "mysql://"),
        "port": postgres_url.replace(str(postgres_server.port), "port"),
        "not quoted": postgres_url.replace(quote(PASSWORD, safe=""), PASSWORD),
        "nobody listens": postgres_url.replace(str(postgres_server.port), "1"),
        "stopped": postgres_url,
    }[wrong]
    bench = Bench(tmp_path, address)
    try:
        if wrong == "stopped":
            postgres_server.stop(signal.SIGQUIT)
        verb = ("status",) if code == 4 else ("grid", specification(tmp_path), "--no-report")
        ended, output = finish(bench.program(loud, *verb, PYTHONPATH=str(ROOT)))
    finally:
        if wrong == "stopped":
            postgres_server.start()
        bench.close()
    assert ended == code, output
    assert "Traceback" not in output
    assert "error: " in output
    assert_no_password(wrong, output)


def test_a_plugin_runs_only_when_the_file_names_it(bench: Bench, tmp_path):
    """Not because it lies beside the file, in the working folder, or in another study's file."""
    mark = tmp_path / "ran"
    (tmp_path / "plugin.py").write_text(f"open({str(mark)!r}, 'a').write('x')\n")
    (tmp_path / "sitting.yaml").write_text("plugins: [plugin.py]\n")
    file = specification(tmp_path, plugins=[], replicates=1)
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    assert not mark.exists()
    code, output = bench.run("plan", specification(tmp_path, plugins=["plugin.py"]))
    assert code == 0, output
    assert mark.exists()


def test_x4_cell_processes_run_no_plugin_from_elsewhere_that_the_store_gives_a_cell(
    bench: Bench, tmp_path
):
    """Whoever may write to the store can change a cell too, not only the study's specification."""
    reviewed = tmp_path / "reviewed"
    reviewed.mkdir()
    (tmp_path / "hostile.py").write_text("open(__file__ + '.ran', 'x')\n")
    spec = load_spec(specification(tmp_path, plugins=[], replicates=1), cuda_visible=False)
    with open_store(bench.storage, create=True) as store:
        register_design(store, spec, design_of(spec), "cpu")
        hostile = f'"plugins": ["{tmp_path}/hostile.py"]'
        store.database.write(
            lambda connection: connection.execute(
                text("UPDATE cell_contents SET content = replace(content, :old, :new)"),
                {"old": '"plugins": []', "new": hostile},
            )
        )
    code, output = bench.run("work", "faults", "--plugins", reviewed)
    assert code == 3, output
    assert f"its cells run further plugins: {tmp_path}/hostile.py" in output
    assert not (tmp_path / "hostile.py.ran").exists()
    confined = f"plugins are confined to {reviewed}: {tmp_path}/hostile.py is not in it"
    assert all(confined in run["detail"] for run in bench.runs())


def test_the_dashboard_listens_on_the_loopback_alone(bench: Bench, tmp_path):
    code, output = bench.run("grid", specification(tmp_path, replicates=1), "--no-report")
    assert code == 0, output
    dashboard = bench.start("dashboard", "--port", "0", PYTHONUNBUFFERED="1")
    assert dashboard.stdout is not None
    assert dashboard.stdout.readline().startswith("http://127.0.0.1:")
    listening = {
        one.laddr.ip
        for one in psutil.Process(dashboard.pid).net_connections()
        if one.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    dashboard.send_signal(signal.SIGINT)
    assert dashboard.wait(60) == 130
