"""Repairs run from the same start over the same batches, and believed where they help.

trials     every repair that is worth one     rates     the range test, and rates to try
judging    whether one helped
"""
