"""What messages of other tools mean in the doctor's kinds: the table that answers are counted by.

It is generous. `means` has every kind that a message can be taken to name, `advises` every kind
whose repair stands among the advice that comes with it (torchmortem 0.1.1, `remediation` of
each detector).
"""

from __future__ import annotations

from tests.benchmarks.doctor.beside.answer import Meaning

NO_CAUSE = Meaning()

TORCHMORTEM = {
    "Dead units": Meaning(
        ("dead_relu",),
        ("wrong_activation", "learning_rate_too_high", "wrong_init", "no_norm_layers"),
    ),
    "Vanishing gradients": Meaning(("vanishing_gradient",), ("wrong_activation", "no_norm_layers")),
    "Exploding gradients": Meaning(
        ("exploding_gradient",), ("learning_rate_too_high", "wrong_init", "no_norm_layers")
    ),
    "Gradient stalling": Meaning(
        ("vanishing_gradient", "frozen_layers"), ("dead_relu", "wrong_init")
    ),
    "High gradient noise": Meaning(
        ("batch_too_small_or_large",), ("learning_rate_too_high", "wrong_optimizer")
    ),
    "Training divergence": Meaning(("exploding_gradient",), ("learning_rate_too_high",)),
    "Loss plateau": Meaning((), ("learning_rate_too_low", "schedule_wrong", "wrong_optimizer")),
    "Rank collapse": Meaning(
        (), ("too_strong_regularisation", "learning_rate_too_high", "wrong_optimizer")
    ),
    "Activation saturation": Meaning(
        ("wrong_activation",), ("no_norm_layers", "learning_rate_too_high", "wrong_init")
    ),
    "Update ratio too low": Meaning(
        ("learning_rate_too_low",), ("vanishing_gradient", "wrong_optimizer")
    ),
    "Update ratio too high": Meaning(("learning_rate_too_high",), ("wrong_optimizer",)),
    "Weight norm explosion": Meaning(("exploding_gradient",), ("learning_rate_too_high",)),
    "Stagnant weight norms": Meaning(
        ("weights_not_updated", "frozen_layers"),
        ("vanishing_gradient", "learning_rate_too_low", "optimizer_without_parameters"),
    ),
    "Inter-layer weight norm imbalance": Meaning((), ("wrong_init", "wrong_optimizer")),
}
"""By how a finding's title begins. Notes below a warning (edge of stability, catapult phase) are no
issues to torchmortem itself, and are not counted."""
CRITICAL = " (critical)"
"""Ends a finding that torchmortem calls critical."""

WARNINGS = {
    "Using a target size": Meaning(("wrong_loss", "wrong_output_layer")),
    "in eval mode at the start of training": Meaning(("eval_mode_in_training",)),
    "Detected call of `lr_scheduler.step()` before": Meaning(("schedule_wrong",)),
    "`training_step` returned `None`": Meaning(("weights_not_updated",)),
    "Implicit dimension choice for softmax": Meaning(("softmax_before_cross_entropy",)),
}
"""By what a warning of torch or Lightning has in it."""

OF_THE_SURROUNDINGS = (
    "does not have many workers", "num_workers", "log_every_n_steps", "logger", "Checkpoint",
    "checkpoint", "tensorboardX", "litlogger", "LeafSpec", "treespec", "deprecated",
    "val_dataloader", "requested to overfit", "overfit_batches", "Full backward hook is firing",
    "LR finder stopped early",
)  # fmt: skip
"""Warnings that say nothing of the training: of loaders, logging, other packages, or of the check
that is being made."""

NOT_FINITE = Meaning(("exploding_gradient",), ("learning_rate_too_high",))
"""A loss or a gradient that is not finite, as anybody reads it."""


def of_finding(title: str) -> Meaning:
    """Of torchmortem's."""
    return next((one for start, one in TORCHMORTEM.items() if title.startswith(start)), NO_CAUSE)


def of_warning(text: str) -> Meaning | None:
    """Of torch's or Lightning's; None where it is of the surroundings."""
    known = next((one for part, one in WARNINGS.items() if part in text), None)
    if known is None and any(part in text for part in OF_THE_SURROUNDINGS):
        return None
    return known or NO_CAUSE
