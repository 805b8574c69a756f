"""Sentences told apart by a tiny BERT of random weights, with Hugging Face's Trainer."""

import random
from pathlib import Path

import numpy as np
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainingArguments,
    set_seed,
)

WORDS = ["[PAD]", "good", "bad", "film", "plot", "cast", "the", "a", "is", "was"]


def sentences(count, seed):
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        word = rng.choice(["good", "bad"])
        text = [rng.choice(["the", "a"]), rng.choice(["film", "plot", "cast"]),
                rng.choice(["is", "was"]), word]  # fmt: skip
        ids = [WORDS.index(one) for one in text] + [0] * (6 - len(text))
        rows.append({
            "input_ids": torch.tensor(ids),
            "attention_mask": torch.tensor([int(one > 0) for one in ids]),
            "labels": int(word == "good"),
        })  # fmt: skip
    return rows


def accuracy(prediction):
    return {"accuracy": float(np.mean(prediction.predictions.argmax(-1) == prediction.label_ids))}


def fit(layers, hidden, learning_rate, epochs=6, *, seed, folder, device):
    set_seed(seed)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(WORDS), hidden_size=hidden, num_hidden_layers=layers,
            num_attention_heads=2, intermediate_size=2 * hidden, max_position_embeddings=8,
        )
    )  # fmt: skip
    arguments = TrainingArguments(
        output_dir=str(folder), num_train_epochs=epochs, learning_rate=learning_rate, seed=seed,
        per_device_train_batch_size=32, report_to=[], save_strategy="epoch", save_total_limit=1,
        disable_tqdm=True, use_cpu=device == "cpu", logging_strategy="epoch",
    )  # fmt: skip
    trainer = Trainer(
        model, arguments, train_dataset=sentences(256, seed), eval_dataset=sentences(128, seed + 1),
        compute_metrics=accuracy,
    )  # fmt: skip
    kept = any(Path(folder).glob("checkpoint-*"))
    trainer.train(resume_from_checkpoint=kept or None)
    return {"accuracy": trainer.evaluate()["eval_accuracy"]}
