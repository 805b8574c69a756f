"""Handwritten digits in the style of PyTorch's own examples: argparse, prints, a checkpoint."""

import argparse
import json
import os
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from sklearn.datasets import load_digits


class Net(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, 1)
        self.conv2 = nn.Conv2d(8, 16, 3, 1)
        self.dropout = nn.Dropout(dropout)
        self.fc1 = nn.Linear(64, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = self.dropout(torch.flatten(x, 1))
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


def load(test):
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    y = torch.tensor(labels)
    return (x[1200:], y[1200:]) if test else (x[:1200], y[:1200])


def train(args, model, device, optimizer, epoch):
    model.train()
    x, y = load(test=False)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(args.seed + epoch))
    for index, batch in enumerate(order.split(args.batch_size)):
        data, target = x[batch].to(device), y[batch].to(device)
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
        if index % args.log_interval == 0:
            print(f"Train Epoch: {epoch} [{index * len(data)}/{len(x)}]\tLoss: {loss.item():.6f}")
    return loss.item()


def test(model, device):
    model.eval()
    x, y = (part.to(device) for part in load(test=True))
    with torch.no_grad():
        output = model(x)
    loss = F.nll_loss(output, y).item()
    correct = output.argmax(1).eq(y).sum().item()
    print(f"\nTest set: Average loss: {loss:.4f}, Accuracy: {correct}/{len(x)}\n")
    return loss, correct / len(x)


def main():
    parser = argparse.ArgumentParser(description="PyTorch Digits Example")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N")
    parser.add_argument("--epochs", type=int, default=2, metavar="N")
    parser.add_argument("--lr", type=float, default=0.1, metavar="LR")
    parser.add_argument("--momentum", type=float, default=0.0, metavar="M")
    parser.add_argument("--dropout", type=float, default=0.25)
    parser.add_argument("--no-accel", action="store_true", help="disables accelerator")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--log-interval", type=int, default=10, metavar="N")
    parser.add_argument("--save-dir", default=".", help="where the metrics and the model go")
    parser.add_argument("--resume", default=None, metavar="FILE")
    args = parser.parse_args()

    accel = not args.no_accel and torch.cuda.is_available()
    device = torch.device("cuda" if accel else "cpu")
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    model = Net(args.dropout).to(device)
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
    start = 1
    if args.resume:
        checkpoint = torch.load(args.resume, weights_only=True)
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        start = checkpoint["epoch"] + 1
        print(f"=> loaded checkpoint (epoch {checkpoint['epoch']})")
    for epoch in range(start, args.epochs + 1):
        train_loss = train(args, model, device, optimizer, epoch)
        test_loss, accuracy = test(model, device)
        with open(os.path.join(args.save_dir, "metrics.jsonl"), "a") as file:
            row = {"epoch": epoch, "train_loss": train_loss, "test_loss": test_loss}
            file.write(json.dumps({**row, "accuracy": accuracy}) + "\n")
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        torch.save(state, os.path.join(args.save_dir, "last.pt"))


if __name__ == "__main__":
    main()
