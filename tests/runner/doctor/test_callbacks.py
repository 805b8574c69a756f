"""What was broken is seen in the loops of other libraries, and nothing in a sound one."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.runner.doctor.trainings import data, mlp, seed_all

STEPS = 120

BROKEN = {
    "sound": {},
    "learning_rate_too_high": {"rate": 30.0},
    "optimizer_without_parameters": {"strangers": True},
}


def optimizer_of(model, rate=0.05, strangers=False):
    weights = mlp().parameters() if strangers else model.parameters()
    return torch.optim.SGD(weights, rate, momentum=0.9)


def said_and_seen(callback, said, kind):
    seen = callback.diagnosis()
    assert said[-1] == str(seen)
    if kind == "sound":
        assert seen.healthy, seen
        assert len(said) == 1
    else:
        assert seen.causes[0].kind == kind, seen
        assert "seen, not proven" in said[-1]


@pytest.fixture(params=["lightning", pytest.param("pytorch_lightning", marks=pytest.mark.long)])
def lightning(request):
    pytest.importorskip(request.param)
    import importlib

    library = importlib.import_module(
        "lightning.pytorch" if request.param == "lightning" else request.param
    )
    skin = importlib.import_module(f"runner.doctor.callbacks.{request.param}")
    return library, skin.DoctorCallback


@pytest.mark.filterwarnings("ignore")  # what the libraries say of workers, loggers and themselves
@pytest.mark.parametrize("kind", BROKEN)
def test_lightning(lightning, kind, tmp_path):
    library, callback_class = lightning

    class Module(library.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = mlp()

        def training_step(self, batch, _):
            x, y = batch
            return F.cross_entropy(self.net(x), y)

        def configure_optimizers(self):
            return optimizer_of(self.net, **BROKEN[kind])

    seed_all(0)
    said: list[str] = []
    callback = callback_class(classes=10, say=said.append)
    trainer = library.Trainer(
        max_steps=STEPS, callbacks=[callback], accelerator="cpu", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(Module(), data()[0])
    said_and_seen(callback, said, kind)


class WithLoss(nn.Module):
    """As models of transformers are: labels in, the loss and the logits out."""

    def __init__(self):
        super().__init__()
        self.net = mlp()

    def forward(self, pixels, labels=None):
        logits = self.net(pixels)
        return {"loss": F.cross_entropy(logits, labels), "logits": logits}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", BROKEN)
def test_transformers(kind, tmp_path):
    transformers = pytest.importorskip("transformers")
    from runner.doctor.callbacks.transformers import DoctorCallback

    seed_all(0)
    said: list[str] = []
    callback = DoctorCallback(classes=10, say=said.append)
    model = WithLoss()
    pairs = data()[0].dataset
    trainer = transformers.Trainer(
        model,
        transformers.TrainingArguments(
            str(tmp_path), max_steps=STEPS, per_device_train_batch_size=32, report_to=[],
            save_strategy="no", use_cpu=True, disable_tqdm=True, lr_scheduler_type="constant",
            logging_strategy="no", max_grad_norm=0.0,
        ),
        train_dataset=[{"pixels": x, "labels": y} for x, y in pairs],
        optimizers=(optimizer_of(model, **BROKEN[kind]), None),
        callbacks=[callback],
    )  # fmt: skip
    trainer.train()
    said_and_seen(callback, said, kind)
