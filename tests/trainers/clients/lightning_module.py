"""A Lightning module on two spirals, fitted by Lightning's own Trainer."""

import logging
import math
import warnings
from pathlib import Path

import lightning
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
warnings.filterwarnings("ignore", module="lightning")


class Spirals(lightning.LightningModule):
    def __init__(self, width, activation, lr):
        super().__init__()
        self.save_hyperparameters()
        act = {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]
        self.net = nn.Sequential(
            nn.Linear(2, width), act(), nn.Linear(width, width), act(), nn.Linear(width, 2)
        )

    def training_step(self, batch, _index):
        x, y = batch
        loss = F.cross_entropy(self.net(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _index):
        x, y = batch
        self.log("val_acc", (self.net(x).argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def spirals(count):
    turn = torch.rand(count) * 2 * math.pi
    label = torch.randint(2, (count,))
    angle = turn + label * math.pi
    radius = turn / (2 * math.pi) + 0.1
    points = torch.stack((radius * angle.cos(), radius * angle.sin()), 1)
    return TensorDataset(points + torch.randn(count, 2) * 0.02, label)


def fit(width, activation, lr, epochs=4, *, seed, folder):
    lightning.seed_everything(seed, verbose=False)
    train = DataLoader(spirals(400), batch_size=50, shuffle=True)
    val = DataLoader(spirals(200), batch_size=200)
    model = Spirals(width, activation, lr)
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[lightning.pytorch.callbacks.ModelCheckpoint(folder, "last")],
    )
    last = Path(folder, "last.ckpt")
    trainer.fit(model, train, val, ckpt_path=str(last) if last.exists() else None)
    return {"val_acc": trainer.callback_metrics["val_acc"]}
