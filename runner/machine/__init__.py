"""What this machine offers to train on, found without importing torch.

devices  CUDA devices and CPU cores, and how many slots each serves
"""
