"""Factors that a file may leave out: what is not named is off, costs nothing and changes no cell.

loss      what is minimised            mixing     images and labels of two in one
clipping  gradients that are too long  averaging  weights that are evaluated
warmup    the first steps' rate

Weight decay, label smoothing and the batch size are numbers: fields of `train`, each a possible
factor (`train.weight_decay: [0, 5e-4]`).
"""
