"""How a grid is run: specification, design, store, slots, training.

content/  what a cell and an outcome are      spec/           the file, checked
design/   which combinations run              data/           images, read once a machine
store/    every cell, in one SQL database     optuna_mirror/  the same as Optuna trials
machine/  what there is to train on           network/        the network of a cell
training/ one cell trained                    trainers/       a function or command instead
pool/     slots, processes, clusters          commands/       `python -m runner`
program/  what it shares with `analysis`      beginning/    a first file, guessed
doctor/   why a training does not converge    probe/          what a batch does to its layers
tuning/   learning rates, before the grid     entry/          `ablate`, both programs in one
"""
