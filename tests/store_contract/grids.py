"""Small designs for the store's tests: real cells of two or three factors, and what ends them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from runner.content.cell import Cell, Level
from runner.content.outcome import Epoch, Outcome, Status
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.store import Store, StudyInfo

OPTIMIZERS = ("adam", "sgd", "sgd_momentum", "rmsprop")
SCHEDULERS = ("constant", "cosine", "step", "plateau", "one_cycle")
LEASE = 60.0


def levels(factor: str, labels: Sequence[str]) -> list[Level]:
    return [Level(factor, label, label, {}) for label in labels]


def design(
    optimizers: Sequence[str] = OPTIMIZERS,
    schedulers: Sequence[str] = SCHEDULERS,
    replicates: int = 1,
    epochs: int = 3,
    target: float | None = None,
) -> list[tuple[Cell, int]]:
    data, model, train = DataSpec(), ModelSpec(), TrainSpec(epochs=epochs, target=target)
    found = [
        Cell((optimizer, scheduler), (), replicate, data, model, train)
        for replicate in range(replicates)
        for optimizer, scheduler in product(
            levels("optimizer", optimizers), levels("scheduler", schedulers)
        )
    ]
    return [(cell, order) for order, cell in enumerate(found)]


def register(
    store: Store,
    name: str = "grid-cpu-a1b2c3",
    optimizers: Sequence[str] = OPTIMIZERS,
    schedulers: Sequence[str] = SCHEDULERS,
    replicates: int = 1,
    target: float | None = None,
) -> StudyInfo:
    spec: dict[str, Any] = {
        "name": "grid",
        "data": DataSpec().model_dump(mode="json"),
        "model": ModelSpec().model_dump(mode="json"),
        "train": TrainSpec(target=target).model_dump(mode="json"),
    }
    return store.register(
        name=name,
        profile="cpu",
        spec=spec,
        factors={
            "optimizer": levels("optimizer", optimizers),
            "scheduler": levels("scheduler", schedulers),
        },
        replicates=replicates,
        claims=["optimizer: adam > sgd"],
    )


def planned(store: Store, cells: int = 20, name: str = "grid-cpu-a1b2c3") -> StudyInfo:
    """A study of so many cells: 4 optimizers, 5 schedulers, as many replicates as it takes."""
    replicates = -(-cells // 20)
    study = register(store, name, replicates=replicates)
    store.plan(study, design(replicates=replicates)[:cells])
    return study


def outcome(accuracy: float = 0.75, status: Status = Status.LEARNED, epochs: int = 3) -> Outcome:
    curve = tuple(
        Epoch(
            epoch=epoch,
            train_loss=1.0 / epoch,
            train_accuracy=accuracy,
            validation_loss=1.1 / epoch,
            validation_accuracy=accuracy * epoch / epochs,
            learning_rate=0.1,
            gradient_norm=2.0,
            seconds=0.5,
            images_per_second=1000.0,
        )
        for epoch in range(1, epochs + 1)
    )
    return Outcome(
        status,
        test_accuracy=accuracy,
        test_loss=0.5,
        test_correct=round(accuracy * 360),
        n_test=360,
        classes=10,
        best_validation_accuracy=accuracy,
        final_validation_accuracy=accuracy,
        epochs_to_target=None,
        epochs_run=epochs,
        epochs_budget=epochs,
        seconds=1.5,
        cpu_seconds=1.4,
        parameters=1234,
        train_images=1000,
        notes=("horizontal flip left out",),
        curve=curve,
    )
