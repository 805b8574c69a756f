"""The line of a person's file that a cause is about, where one says so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from runner.doctor.causes.finding import Finding

_RATE = r"\blr\s*=|learning_rate\s*=|\boptim(izer)?\w*\.\w+\("
_DATA = r"\bDataLoader\(|train_loader"
PATTERNS = {
    "learning_rate_too_high": _RATE,
    "learning_rate_too_low": _RATE,
    "wrong_optimizer": r"\boptim(izer)?\w*\.\w+\(",
    "optimizer_without_parameters": r"\boptim(izer)?\w*\.\w+\(",
    "schedule_wrong": r"lr_scheduler|scheduler\.step\(|LR\(",
    "missing_zero_grad": r"\.backward\(",
    "weights_not_updated": r"\.backward\(",
    "wrong_loss": r"\bloss\w*\s*[=:(]|criterion",
    "softmax_before_cross_entropy": r"[sS]oftmax\(",
    "no_normalisation": _DATA,
    "labels_wrong": _DATA,
    "batch_too_small_or_large": r"batch_size\s*=|\bDataLoader\(",
    "preprocessing_mismatch": r"val_loader|DataLoader\(",
    "too_strong_augmentation": r"transforms?\b",
    "wrong_init": r"\binit\.\w+_\(|\.weight\b",
    "eval_mode_in_training": r"\.eval\(\)",
    "norm_statistics_wrong": r"momentum\s*=|BatchNorm",
    "too_few_epochs": r"\bepochs\b",
}
"""What the line of each cause has in it."""
BY_LAYER = {
    "too_strong_regularisation": r"Dropout\w*\(|weight_decay\s*=",
    "wrong_activation": r"Sigmoid|Tanh|ReLU|Softmax|sigmoid\(|tanh\(|relu\(",
}
"""The same of causes that are about one of several places: said where there is one such line."""


def with_lines(causes: Iterable[Finding], file: Path) -> tuple[Finding, ...]:
    """Findings whose `where` names a line of the file, where one can be told.

    Args:
        causes: what was found.
        file: that the training is made in.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return tuple(causes)
    return tuple(_placed(one, lines, file.name) for one in causes)


def _placed(cause: Finding, lines: list[str], name: str) -> Finding:
    pattern = PATTERNS.get(cause.kind) or BY_LAYER.get(cause.kind)
    if pattern is None:
        return cause
    code = [line.split("#")[0] for line in lines]
    found = [number for number, line in enumerate(code, 1) if re.search(pattern, line)]
    if not found or (cause.kind in BY_LAYER and len(found) > 1):
        return cause
    return replace(cause, where=f"{cause.where}, {name}:{found[0]}")
