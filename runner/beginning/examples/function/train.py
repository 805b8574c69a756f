"""Handwritten digits, a small network: which loss, learning rate and optimizer?

Keyword arguments in, numbers out. `seed`, `device` and `run` are given because `fit` asks for them;
nothing is imported from the grid runner.
"""

from functools import cache

import torch
from sklearn.datasets import load_digits
from torch import nn

LOSSES = {
    "cross_entropy": nn.CrossEntropyLoss(),
    "label_smoothing": nn.CrossEntropyLoss(label_smoothing=0.1),
}


@cache
def digits(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """1,797 images of 8 x 8 pixels, [N, 64] in 0 to 1, and their digits, [N]."""
    images, labels = load_digits(return_X_y=True)
    return (
        torch.tensor(images / 16, dtype=torch.float32, device=device),
        torch.tensor(labels, device=device),
    )


def fit(
    lr=0.01, loss="cross_entropy", optimizer="sgd", momentum=0.0, epochs=8, *, seed, device, run
):
    """Train on 1,000 digits; the accuracy on the other 797."""
    torch.manual_seed(seed)
    images, labels = digits(device)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))  # one split
    train, test = order[:1000], order[1000:]
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).to(device)
    if optimizer == "sgd":
        stepper = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    else:
        stepper = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = LOSSES[loss]

    kept = run.load()  # what run.save kept before a kill; None at the first start
    if kept:
        model.load_state_dict(kept["model"])
        stepper.load_state_dict(kept["stepper"])
    accuracy = float("nan")
    for epoch in range(kept["epoch"] + 1 if kept else 0, epochs):
        torch.manual_seed(seed * 1000 + epoch)  # the same batches, resumed or not
        for batch in train[torch.randperm(len(train))].split(50):
            stepper.zero_grad()
            value = criterion(model(images[batch]), labels[batch])
            value.backward()
            stepper.step()
        with torch.no_grad():
            right = model(images[test]).argmax(1) == labels[test]
        accuracy = right.float().mean().item()
        run.report(epoch, train_loss=value.item(), accuracy=accuracy)
        run.save({"epoch": epoch, "model": model.state_dict(), "stepper": stepper.state_dict()})
    return {"accuracy": accuracy}
