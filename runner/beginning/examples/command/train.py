"""Handwritten digits, a network written in NumPy: an ordinary script with options.

It knows nothing of the grid runner. It writes a line of metrics.jsonl an epoch into the folder it
is given, and a checkpoint that `--resume` continues from.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.1, help="step size of SGD")
    parser.add_argument("--activation", choices=["relu", "tanh"], default="relu")
    parser.add_argument("--hidden", type=int, default=32, help="units of the hidden layer")
    parser.add_argument("--momentum", type=float, default=0.0)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder of what is written")
    parser.add_argument("--resume", type=Path, help="a checkpoint to go on from")
    args = parser.parse_args()

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))  # one split for all runs
    images, labels = images[order] / 16, labels[order]
    wanted = np.eye(10)[labels]
    weights = first_weights(args.hidden, np.random.default_rng(args.seed))
    speeds = [np.zeros_like(one) for one in weights]
    begin = 0
    if args.resume:
        with np.load(args.resume) as kept:
            begin = int(kept["epoch"]) + 1
            weights, speeds = ([kept[f"{name}{k}"] for k in range(4)] for name in ("w", "v"))

    args.out.mkdir(parents=True, exist_ok=True)
    for epoch in range(begin, args.epochs):
        chance = np.random.default_rng([args.seed, epoch])  # the same batches, resumed or not
        for batch in np.split(chance.permutation(1000), 20):
            slopes = gradients(weights, images[batch], wanted[batch], args.activation)
            for k, slope in enumerate(slopes):
                speeds[k] = args.momentum * speeds[k] - args.lr * slope
                weights[k] = weights[k] + speeds[k]
        _, outputs = forward(weights, images[1000:], args.activation)
        accuracy = float((outputs.argmax(1) == labels[1000:]).mean())
        with (args.out / "metrics.jsonl").open("a") as file:
            print(json.dumps({"epoch": epoch, "accuracy": accuracy}), file=file)
        save(args.out / "last.npz", epoch, weights, speeds)
    print(f"accuracy {accuracy:.4f}" if begin < args.epochs else "nothing left to do")


def first_weights(hidden: int, chance: np.random.Generator) -> list[np.ndarray]:
    """Two layers, weights and biases; He et al. 2015."""
    return [
        chance.normal(0, np.sqrt(2 / 64), (64, hidden)), np.zeros(hidden),
        chance.normal(0, np.sqrt(2 / hidden), (hidden, 10)), np.zeros(10),
    ]  # fmt: skip


def forward(weights, images, activation):
    """Of [N, 64] images: the hidden layer, [N, hidden], and probabilities, [N, 10]."""
    sums = images @ weights[0] + weights[1]
    hidden = np.maximum(sums, 0) if activation == "relu" else np.tanh(sums)
    outputs = hidden @ weights[2] + weights[3]
    powers = np.exp(outputs - outputs.max(1, keepdims=True))
    return hidden, powers / powers.sum(1, keepdims=True)


def gradients(weights, images, wanted, activation):
    """Of the cross-entropy, one array a weight."""
    hidden, outputs = forward(weights, images, activation)
    error = (outputs - wanted) / len(images)
    inner = error @ weights[2].T * ((hidden > 0) if activation == "relu" else 1 - hidden**2)
    return [images.T @ inner, inner.sum(0), hidden.T @ error, error.sum(0)]


def save(path: Path, epoch: int, weights, speeds) -> None:
    """Written aside and renamed: a kill leaves the checkpoint before."""
    named = {f"{name}{k}": one for name, all_ in (("w", weights), ("v", speeds))
             for k, one in enumerate(all_)}  # fmt: skip
    aside = path.with_suffix(".partial.npz")
    np.savez(aside, epoch=epoch, **named)
    aside.replace(path)


if __name__ == "__main__":
    main()
