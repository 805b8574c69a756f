"""Pixels of a batch of training images: what the augmentation levels are made of.

operations  every operation, on any device     warp  maps and mirroring on one CPU core
compiled    how a loop over pixels is compiled
"""
