"""What the shipped levels do, measured and held against torch, torchvision and the papers.

`python -m tests.benchmarks.levels` writes `results/benchmarks/levels.md`.

untrained  loss and scale of the signal before the first step      rules  what `he` might have been
rates      what a scheduler makes of the learning rate             draws  what an augmentation draws
defaults   optimizers beside torch's own defaults                  verdicts  each level in words
"""
