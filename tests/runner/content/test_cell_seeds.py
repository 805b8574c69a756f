"""A cell's streams: its own by its content, or shared; cells of before stay what they are."""

import dataclasses
import json

from runner.content.cell import Cell
from runner.content.seeds import stream
from tests.runner.cells import make_cell


def test_shared_seeds_are_the_streams_and_cells_of_before():
    cell = make_cell(seeds="shared", replicate=2)
    assert cell.stream("init", 3) == stream(0, 2, "init", 3)
    assert cell.id == "909bfc42d83ae37a"  # as before cells had seeds of their own


def test_a_cell_of_before_is_read_as_shared():
    cell = make_cell(seeds="shared")
    raw = json.loads(cell.to_json())
    del raw["seeds"]
    assert Cell.from_json(json.dumps(raw)) == cell


def test_own_and_shared_are_other_cells_with_other_streams():
    own, shared = make_cell(), make_cell(seeds="shared")
    assert own.id != shared.id
    assert own.stream("order") != shared.stream("order")
    assert Cell.from_json(own.to_json()) == own


def test_cells_that_differ_in_anything_draw_other_numbers():
    cells = [
        make_cell(),
        make_cell(replicate=1),
        make_cell(scheduler="cosine"),
        make_cell(scheduler=("cosine", {"floor": 0.1})),
        make_cell(model={"depth": 13}),
        make_cell(train={"epochs": 3}),
        make_cell(train={"seed": 1}),
    ]
    streams = {cell.stream(purpose) for cell in cells for purpose in ("init", "order", "trainer")}
    assert len(streams) == 3 * len(cells)


def test_a_label_or_a_time_limit_is_no_other_stream():
    cell = make_cell()
    first, *rest = cell.levels
    called = dataclasses.replace(cell, levels=(dataclasses.replace(first, label="x"), *rest))
    limited = make_cell(train={"time_limit": 5})
    assert cell.stream("init") == called.stream("init") == limited.stream("init")


def test_a_field_draws_the_same_whether_it_is_varied_or_not():
    """Same content, same cell: what one study varies another may hold fixed."""
    from runner.content.level import Level

    held = make_cell(model={"depth": 13})
    varied = dataclasses.replace(
        held, levels=(*held.levels, Level("model.depth", "13", "13", {"value": 13}))
    )
    assert varied.id == held.id
    assert varied.stream("init") == held.stream("init")
