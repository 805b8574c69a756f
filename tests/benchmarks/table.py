"""The speed table in Markdown, from what a benchmark run wrote.

    python -m tests.benchmarks.table results/benchmarks/speed.json

A part that was not measured says so; nothing is filled in from elsewhere. The file is long because
it is one page: each part of the page is one short function, in the page's order.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from math import isnan
from pathlib import Path
from statistics import mean, median
from typing import Any

from tests.benchmarks import summary
from tests.benchmarks.contestants import EVERYBODY, PEERS, RUNNER, Contestant
from tests.benchmarks.machine import in_words
from tests.benchmarks.summary import Raw
from tests.benchmarks.workload import NARROW

NOT_MEASURED = "not measured here"
GIGA = 1e9


def render(raw: Raw) -> str:
    """The whole document."""
    parts = [
        _head(raw),
        _part("Cells per hour", raw, "throughput", _throughput),
        _part("The wide network", raw, "wide", _wide),
        _part("Share of one core's peak", raw, "roofline", _roofline),
        _part("What surrounds the training", raw, "growth", _growth),
        _part("A cell's process", raw, "startup", _startup),
        _part("Accuracy of bf16 and of augmentation by batch", raw, "accuracy", _accuracy),
        "## Goals\n\n" + _goals(raw),
    ]
    return "\n\n".join(parts) + "\n"


def _part(title: str, raw: Raw, key: str, body: Callable[[Raw], str]) -> str:
    text = body(raw) if key in raw else f"{NOT_MEASURED[0].upper()}{NOT_MEASURED[1:]}."
    return f"## {title}\n\n{text}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _head(raw: Raw) -> str:
    machine = raw["machine"]
    versions = ", ".join(f"{name} {found}" for name, found in machine["packages"].items())
    text = f"""# Speed, beside what people would use instead

`{raw["command"]}` on {raw["date"]}, commit {raw["commit"]}, \
{raw.get("seconds", 0) / 60:.0f} minutes.

{in_words(machine)}, {versions}.

Every contestant trains the same cells on the same CIFAR-10 images: VGG-11 with batch norm, \
batch 128, SGD with momentum, augmentation `strong` (crop, flip, rotation, colour jitter, \
erasing), validation after each epoch, test at the end. The peers share one training module \
(torchvision transforms an image at a time in a DataLoader, fp32); the runner computes in bf16, \
one thread a slot. Rounds are interleaved; ratios are taken round by round: \
median (least to greatest)."""
    earlier: dict[str, list[str]] = {}
    for phase, part in raw.get("measured", {}).items():
        if part["commit"] != raw["commit"]:
            earlier.setdefault(f"{part['commit']} on {part['date']}", []).append(phase)
    for when, phases in earlier.items():
        text += f"\n\nMeasured earlier, at commit {when}: {', '.join(phases)}."
    if raw["plan"] == "quick":
        text += "\n\n**A quick run: it shows that the benchmark works and measures nothing.**"
    return text


def _of(runs: list[Raw], contestant: Contestant) -> Raw:
    return next(run for run in runs if run["contestant"] == contestant.name)


def _ratios(
    rounds: list[list[Raw]], peer: Contestant, rate: Callable[[Raw, Contestant], float]
) -> tuple[float, float, float]:
    return summary.spread(
        rate(_of(runs, RUNNER), RUNNER) / rate(_of(runs, peer), peer) for runs in rounds
    )


def _steady(run: Raw, contestant: Contestant) -> float:
    return summary.steady_rate(run, contestant.workers)


def _whole(run: Raw, contestant: Contestant) -> float:
    return summary.whole_rate(run)


def in_range(values: tuple[float, float, float], digits: int = 1) -> str:
    middle, least, most = values
    return f"{middle:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def _workload(facts: Raw) -> str:
    return (
        f"{facts['cells']} cells a round, each {facts['epochs']} epochs of "
        f"{facts['train_images']:,} images, {facts['validation_images']} for validation, "
        f"{facts['test_images']} for the test; channels {', '.join(map(str, facts['channels']))}."
    )


def _throughput(raw: Raw) -> str:
    rounds = raw["throughput"]
    peaks = _peaks(raw)
    operations = _operations(raw, NARROW)
    rows = []
    for one in EVERYBODY:
        runs = [_of(runs, one) for runs in rounds]
        speed = median(summary.training_speed(run, one.workers) for run in runs)
        shares = [
            f"{speed * operations / (2 * peaks[name]):.0%}" if operations and name in peaks else "-"
            for name in ("fp32", "bf16")
        ]
        rows.append(
            [
                one.label,
                f"{median(_steady(run, one) for run in runs):,.0f}",
                "1" if one is RUNNER else in_range(_ratios(rounds, one, _steady)),
                f"{median(_whole(run, one) for run in runs):,.0f}",
                "1" if one is RUNNER else in_range(_ratios(rounds, one, _whole)),
                f"{median(summary.cpu_seconds_a_cell(run) for run in runs):.1f}",
                f"{speed:,.0f}",
                *shares,
                f"{max(r['meter']['peak_pss_bytes'] for r in runs) / one.workers / 1e6:,.0f}",
                f"{max(r['meter']['peak_process_bytes'] for r in runs) / 1e6:,.0f}",
                f"{max(r['meter']['foreign_share'] for r in runs):.0%}",
            ]
        )
    header = [
        *("contestant", "cells/h", "runner's ratio", "cells/h with start-up", "its ratio"),
        *("CPU s a cell", "images/s in steps", "of fp32 peak", "of bf16 peak"),
        *("MB a cell at once", "MB largest process", "others"),
    ]
    notes = f"""{len(rounds)} rounds of {_workload(rounds[0][0]["workload"])}

- *cells/h*: once each worker has ended its first cell, what a grid of hundreds runs at; *with \
start-up*: cells over the whole command, its imports included.
- *CPU s a cell*: of every process the command started. *images/s*: in training steps, all \
workers; *of peak*: of two cores, operations counted, peak measured in this run.
- *MB a cell at once*: proportional set size of the whole tree over its workers, at its greatest; \
*others*: greatest share of the machine that other processes used during a run."""
    twice = sum(run["trained"] - run["cells"] for runs in rounds for run in runs)
    if twice:
        notes += f"\n- Cells trained twice because two processes drew the same one: {twice}."
    return "\n\n".join(
        [markdown_table(header, rows), notes, "Accuracy after these epochs:", _seed_table(raw)]
    )


def _seed_table(raw: Raw) -> str:
    """Nobody is fast by training less: test accuracy of every contestant."""
    rounds = raw["throughput"]
    rates = rounds[0][0]["workload"]["lrs"]
    rows = []
    for one in EVERYBODY:
        runs = [_of(runs, one) for runs in rounds]
        columns = []
        for lr in rates:
            found = summary.accuracies(runs, lr)
            average, deviation = summary.mean_and_sd(found)
            columns.append(f"{100 * average:.1f} ± {100 * deviation:.1f} ({len(found)})")
        rows.append([one.label, *columns])
    header = ["contestant", *(f"lr {lr}: % right, mean ± sd (seeds)" for lr in rates)]
    return markdown_table(header, rows)


def _wide(raw: Raw) -> str:
    rounds, narrow = raw["wide"], raw.get("throughput")
    rows = []
    for one in EVERYBODY:
        runs = [_of(runs, one) for runs in rounds]
        speed = median(summary.training_speed(run, one.workers) for run in runs)
        cost = "-"
        if narrow:
            before = median(summary.training_speed(_of(runs, one), one.workers) for runs in narrow)
            cost = f"{before / speed:.1f}"
        rows.append(
            [
                one.label,
                f"{median(_steady(run, one) for run in runs):,.0f}",
                "1" if one is RUNNER else in_range(_ratios(rounds, one, _steady)),
                f"{median(summary.cpu_seconds_a_cell(run) for run in runs):.1f}",
                f"{speed:,.0f}",
                cost,
                f"{max(r['meter']['peak_pss_bytes'] for r in runs) / one.workers / 1e6:,.0f}",
            ]
        )
    header = [
        *("contestant", "cells/h", "runner's ratio", "CPU s a cell", "images/s in steps"),
        *("an image's cost, times narrow", "MB a cell at once"),
    ]
    note = f"{len(rounds)} rounds of {_workload(rounds[0][0]['workload'])}"
    return f"{markdown_table(header, rows)}\n\n{note}"


def _cases(raw: Raw) -> dict[tuple[str, str, str], list[Raw]]:
    found: dict[tuple[str, str, str], list[Raw]] = {}
    for row in raw.get("roofline", []):
        found.setdefault((row["network"], row["precision"], row["augmentation"]), []).append(row)
    return found


def _peaks(raw: Raw) -> dict[str, float]:
    """Best peak of one core in this run, by precision."""
    peaks: dict[str, float] = {}
    for row in raw.get("roofline", []):
        peaks[row["precision"]] = max(row["peak"], peaks.get(row["precision"], 0.0))
    return peaks


def _operations(raw: Raw, channels: Sequence[int]) -> float | None:
    for row in raw.get("roofline", []):
        if list(row["channels"]) == list(channels):
            return float(row["operations_an_image"])
    return None


def _roofline(raw: Raw) -> str:
    rows = []
    for (network, precision, augmentation), found in _cases(raw).items():
        rows.append(
            [
                network,
                precision,
                augmentation,
                f"{found[0]['operations_an_image'] / 1e6:.1f}",
                f"{median(row['images_per_second'] for row in found):,.0f}",
                f"{median(row['rate'] for row in found) / GIGA:.0f}",
                f"{median(row['peak'] for row in found) / GIGA:.0f}",
                in_range(summary.spread(100 * row["rate"] / row["peak"] for row in found), 0)
                + " %",
            ]
        )
    header = [
        *("channels", "precision", "augmentation", "MFLOP an image", "images/s", "GFLOP/s"),
        *("peak GFLOP/s", "share of peak"),
    ]
    return (
        f"{markdown_table(header, rows)}\n\n"
        "One core, the runner's whole training step (choose, augment, "
        "normalise, forward, backward, update, count). Operations of forward and backward pass "
        "counted by torch; peak: best 2048x2048 matrix product in the same process, before and "
        "after each measurement."
    )


def _growth(raw: Raw) -> str:
    rows = []
    for one in EVERYBODY:
        found = summary.growth(*raw["growth"][one.name], one.workers)
        beyond = f"{1000 * found['beyond_cpu']:.0f}"
        rows.append(
            [
                one.label,
                f"{found['few']:.0f}: {found['few_wall']:.1f} s",
                f"{found['many']:.0f}: {found['many_wall']:.1f} s",
                f"{found['start_up']:.1f}",
                f"{found['wall']:.2f}",
                f"{found['cpu']:.2f}",
                beyond + (" (loader workers)" if one.name == "loop" else ""),
                f"{1000 * found['beyond_slot']:.0f}",
            ]
        )
    header = [
        *("contestant", "few cells", "many cells", "start-up s", "s a further cell"),
        *("CPU s a further cell", "of it beyond training, ms", "worker's ms beyond training"),
    ]
    runner = summary.growth(*raw["growth"]["runner"], RUNNER.workers)
    return (
        f"{markdown_table(header, rows)}\n\n"
        "Tiny cells (one epoch of 128 images), so that what surrounds the training shows. The "
        "runner's store, process and supervision cost "
        f"{1000 * runner['beyond_cpu']:.0f} ms of CPU time a cell, {runner['beyond_cpu'] / 5:.1%} "
        f"of a cell of 5 s, and {1000 * runner['beyond_slot']:.0f} ms of a slot's time, "
        f"{runner['beyond_slot'] / 5:.1%}."
    )


def _startup(raw: Raw) -> str:
    rows = raw["startup"]
    beyond = [row["cpu_seconds"] - row["training_cpu_seconds"] for row in rows]
    wall = [row["wall_seconds"] - row["training_seconds"] for row in rows]
    memory = max(row["peak_memory_bytes"] for row in rows) / 1e6
    return (
        f"{len(rows)} cell processes, one after another: "
        f"{in_range(summary.spread(1000 * one for one in beyond), 0)} ms of CPU time and "
        f"{in_range(summary.spread(1000 * one for one in wall), 0)} ms of waiting beyond training; "
        f"at most {memory:,.0f} MB resident, pages shared with the fork server included."
    )


def _accuracy(raw: Raw) -> str:
    runs, lr = raw["accuracy"], raw["accuracy"]["joblib"]["workload"]["lrs"][0]
    peers = summary.accuracies([runs["joblib"]], lr)
    fp32 = summary.accuracies([runs["runner"]], lr, "fp32")
    bf16 = summary.accuracies([runs["runner"]], lr, "bf16")
    arms = [("torchvision, fp32", peers), ("runner, fp32", fp32), ("runner, bf16", bf16)]
    rows = []
    for label, found in arms:
        average, deviation = summary.mean_and_sd(found)
        rows.append([label, f"{100 * average:.2f} ± {100 * deviation:.2f}", str(len(found))])
    lines = []
    for label, (difference, low, high) in _differences(raw).items():
        verdict = "within its interval of zero" if low <= 0 <= high else "NOT zero"
        interval = f"95 % interval {100 * low:+.2f} to {100 * high:+.2f}: {verdict}"
        if isnan(low):
            interval = "no interval, because the seeds do not vary"
        lines.append(f"- {label}: {100 * difference:+.2f} points, {interval}")
    facts = runs["joblib"]["workload"]
    note = (
        f"{facts['epochs']} epochs of {facts['train_images']:,} images, "
        f"{facts['test_images']:,} test images, learning rate {lr}."
    )
    table = markdown_table(["training", "% right, mean ± sd", "seeds"], rows)
    return "\n\n".join([table, "\n".join(lines), note])


def _differences(raw: Raw) -> dict[str, tuple[float, float, float]]:
    runs, lr = raw["accuracy"], raw["accuracy"]["joblib"]["workload"]["lrs"][0]
    peers = summary.accuracies([runs["joblib"]], lr)
    fp32 = summary.accuracies([runs["runner"]], lr, "fp32")
    bf16 = summary.accuracies([runs["runner"]], lr, "bf16")
    return {
        "augmentation by batch less torchvision, both fp32 (Welch)": summary.welch(fp32, peers),
        "bf16 less fp32, same seeds (paired)": summary.paired(bf16, fp32),
        "runner in bf16 less torchvision in fp32 (Welch)": summary.welch(bf16, peers),
    }


def goals(raw: Raw) -> list[tuple[str, str, bool | None]]:
    """Each goal, what was measured, and whether it was met; None where it was not measured."""
    found: list[tuple[str, str, bool | None]] = []

    def add(goal: str, value: float | None, met: bool, text: str) -> None:
        found.append((goal, NOT_MEASURED, None) if value is None else (goal, text, met))

    for peer in PEERS:
        least = 7.0 if peer.name == "loop" else 3.5
        ratio = _ratios(raw["throughput"], peer, _steady)[0] if "throughput" in raw else None
        shown = 0.0 if ratio is None else ratio
        add(f"≥ {least:g}x {peer.label}", ratio, shown >= least, f"{shown:.1f}x")
    for network, least in (("64 to 512", 0.6), ("16 to 64", 0.5)):
        rows = _cases(raw).get((network, "bf16", "strong"))
        share = median(row["rate"] / row["peak"] for row in rows) if rows else None
        shown = 0.0 if share is None else share
        add(
            f"≥ {least:.0%} of one core's bf16 peak, channels {network}",
            share,
            shown >= least,
            f"{shown:.0%}",
        )
    beyond = None
    if "growth" in raw:
        runner = summary.growth(*raw["growth"]["runner"], RUNNER.workers)
        beyond = max(runner["beyond_slot"], runner["beyond_cpu"]) / 5
    shown = 0.0 if beyond is None else beyond
    add("overhead < 2 % of a 5 s cell", beyond, shown < 0.02, f"{shown:.1%}")
    memory = None
    if "throughput" in raw:
        runs = [_of(runs, RUNNER) for runs in raw["throughput"]]
        memory = max(r["meter"]["peak_pss_bytes"] for r in runs) / RUNNER.workers / 1e6
    shown = 0.0 if memory is None else memory
    add("< 700 MB a CPU slot", memory, shown < 700, f"{shown:.0f} MB")
    start = None
    if "startup" in raw:
        start = mean(row["cpu_seconds"] - row["training_cpu_seconds"] for row in raw["startup"])
    shown = 0.0 if start is None else start
    add("start-up < 0.3 s CPU beyond training", start, shown < 0.3, f"{shown:.2f} s")
    return found


def _goals(raw: Raw) -> str:
    words = {True: "met", False: "**missed**", None: "-"}
    rows = [[goal, text, words[met]] for goal, text, met in goals(raw)]
    return markdown_table(["goal", "measured", ""], rows)


def main(arguments: Sequence[str]) -> None:
    """Write the table again from its raw data, beside it."""
    file = Path(arguments[0])
    raw: dict[str, Any] = json.loads(file.read_text())
    file.with_suffix(".md").write_text(render(raw))


if __name__ == "__main__":
    main(sys.argv[1:])
