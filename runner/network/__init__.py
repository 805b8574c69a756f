"""The network of a cell and what makes it fast on one CPU core.

model       VGG for 32x32 images, or a plugin's   layout      what a VGG is in numbers
fused_norm  norm, pooling and ReLU as one module  kernels     the compiled loops under it
weights     what a network starts with            trial       one batch through a plugin's
found       what that trial found, without torch
"""
