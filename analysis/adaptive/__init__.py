"""Replicates where the noise is, and no more looks than are paid for.

spending    the level of each look      allocation  which combinations run again
waves       what a study does next
"""
