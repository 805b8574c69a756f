"""A LightningModule on handwritten digits: which learning rate, optimizer and dropout?

Needs Lightning: pip install lightning. `fit` is called once a cell; Lightning's own checkpoint in
the cell's folder is what a killed cell goes on from.
"""

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Classifier(lightning.LightningModule):
    """64 pixels, one hidden layer, 10 digits."""

    def __init__(self, lr: float, optimizer: str, dropout: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(
            nn.Linear(64, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 10)
        )

    def training_step(self, batch, _index):
        """The loss of a batch."""
        images, labels = batch
        return nn.functional.cross_entropy(self.model(images), labels)

    def validation_step(self, batch, _index):
        """Log the accuracy under the name of the response."""
        images, labels = batch
        right = self.model(images).argmax(1) == labels
        self.log("accuracy", right.float().mean(), on_epoch=True)

    def configure_optimizers(self):
        """By the name that the factor gives."""
        kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[self.hparams.optimizer]
        return kind(self.parameters(), lr=self.hparams.lr)


class Told(Callback):
    """Tell the run each epoch's numbers: they are the cell's curve."""

    def __init__(self, run) -> None:
        self.run = run

    def on_validation_epoch_end(self, trainer, _module):
        """After each epoch; the sanity check before the first one is none."""
        if not trainer.sanity_checking:
            self.run.report(trainer.current_epoch, accuracy=trainer.callback_metrics["accuracy"])


def fit(lr=0.01, optimizer="adam", dropout=0.0, epochs=5, *, seed, device, folder, run):
    """Train on 1,000 digits; the accuracy on the other 797."""
    lightning.seed_everything(seed, verbose=False)
    pixels, labels = load_digits(return_X_y=True)
    whole = TensorDataset(torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels))
    split = torch.Generator().manual_seed(0)  # one split for all runs
    train, test = random_split(whole, [1000, len(whole) - 1000], split)
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu" if device == "cpu" else "gpu",
        devices=1,
        default_root_dir=folder,
        callbacks=[ModelCheckpoint(folder, save_last=True, save_top_k=0), Told(run)],
        logger=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    last = folder / "last.ckpt"
    trainer.fit(
        Classifier(lr, optimizer, dropout),
        DataLoader(train, batch_size=50, shuffle=True),
        DataLoader(test, batch_size=1000),
        ckpt_path=last if last.is_file() else None,
    )
    return {"accuracy": trainer.callback_metrics["accuracy"]}
