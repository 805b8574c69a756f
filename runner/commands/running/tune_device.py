"""`tune-device FILE`: slots a device 1, 2, 4, … measured with the file's own cells."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from runner.commands import options
from runner.commands.arguments import named_design
from runner.commands.sentences import headline
from runner.program.needs import need, need_processes
from runner.program.wording import counted

EXAMPLES = """examples:
  python -m runner tune-device ablations/five_factor.yaml
  python -m runner tune-device my.yaml --devices 0 --most 16
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.specification(parser)
    parser.add_argument("--devices", metavar="LIST", help="cuda, or device numbers such as 0,2")
    parser.add_argument("--most", type=int, default=32, metavar="N", help="slots to try at most")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from runner.machine.slots import inventory, slots_on
    from runner.pool.calibrate import measure_slots, remember, search
    from runner.pool.process.launch import prepare_images, start_fork_server

    spec, design = named_design(arguments)
    need_processes()
    need("training the networks of this program")
    device = inventory(arguments.devices or spec.run.devices)[0]
    most = arguments.most
    if device.kind == "cpu":  # one slot a core is known to be best; this shows it
        most = min(most, len(slots_on([device])))
    cell = design.cells[0]
    console = Console(highlight=False)
    console.print(f"{device.name}: {headline(spec)}", markup=False, soft_wrap=True)
    start_fork_server()
    prepare_images(cell)
    best, tried = search(lambda n: measure_slots(device, cell, n), device.memory_bytes, most)
    table = Table("slots", "images/s in all", "memory", box=None)
    for one in tried:
        speed = f"{one.images_per_second:,.0f}" if one.images_per_second else "out of memory"
        table.add_row(str(one.slots), speed, f"{one.memory_bytes / 2**20:,.0f} MiB")
    console.print(table)
    file = remember(device, cell, best)
    console.print(
        f"best: {counted(best.slots, 'slot')} a device, remembered in {file}", soft_wrap=True
    )
    return 0
