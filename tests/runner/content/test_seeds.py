"""Streams: the same everywhere, and different for every purpose, replicate and index."""

from itertools import product

import torch

from runner.content.seeds import generator, stream


def test_streams_are_fixed_for_good():
    """Changing these numbers changes every study anybody has run."""
    assert stream(0, 0, "init") == 6086317127016625015
    assert stream(1, 2, "order", 3) == 3608872504864761647
    assert stream(1, 2, "order", 3, "0123456789abcdef") == 1326141604898518040


def test_no_two_streams_are_the_same():
    purposes = ("init", "order", "augmentation", "dropout", "split")
    seeds = [stream(s, r, p, i) for s, r, p, i in product(range(5), range(5), purposes, range(20))]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_seed_and_replicate_do_not_run_into_each_other():
    assert stream(1, 11, "init") != stream(11, 1, "init")
    assert stream(1, 1, "init", 1) != stream(11, 1, "init")


def test_a_generator_starts_at_its_stream():
    first = torch.rand(3, generator=generator(4))
    torch.rand(100)
    assert torch.equal(first, torch.rand(3, generator=generator(4)))
    assert not torch.equal(first, torch.rand(3, generator=generator(5)))
