"""Verbs that write a specification.

init     a first one, or an example     augment  a fraction that grows by new cells
"""
