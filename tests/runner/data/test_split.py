"""Splits: stratified, disjoint, the same for ever."""

import hashlib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.data.split import cut


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=8).filter(lambda s: sum(s) >= 4),
    share=st.floats(0.05, 0.8),
    data=st.data(),
)
def test_splits_are_disjoint_of_the_right_size_and_in_proportion(sizes, share, data):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    limit = data.draw(st.none() | st.integers(2, len(labels) + 5))
    train, held = cut(labels, limit, share)
    used = min(len(labels), limit or len(labels))
    assert len(train) + len(held) == used
    assert not set(train) & set(held)
    assert len(train) >= 1
    assert len(held) == min(max(1, round(share * used)), used - 1)
    counts = np.bincount(labels[np.concatenate([train, held])], minlength=len(sizes))
    exact = np.array(sizes) * used / len(labels)
    assert (counts <= sizes).all()
    # Largest remainder, except that one image a class is taken first.
    assert (np.abs(counts - exact) < 1 + len(sizes)).all()
    if used >= len(sizes):
        assert (counts > 0).all()


def test_balanced_classes_stay_balanced():
    labels = np.arange(1000) % 10
    train, held = cut(labels, 500, 0.1)
    assert np.bincount(labels[train]).tolist() == [45] * 10
    assert np.bincount(labels[held]).tolist() == [5] * 10


def test_a_smaller_limit_takes_a_subset():
    labels = np.arange(1000) % 10
    larger, smaller = (np.concatenate(cut(labels, limit, 0.1)) for limit in (700, 300))
    assert set(smaller) < set(larger)


def test_the_split_is_fixed_for_good():
    """Changing it changes every study anybody has run."""
    train, held = cut(np.arange(100) % 4, None, 0.1)
    text = f"{train.tolist()}{held.tolist()}"
    assert hashlib.sha256(text.encode()).hexdigest()[:12] == "7bedcc20c0d1"
