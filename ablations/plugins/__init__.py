"""Levels, models and data sets that are not this package's own.

offered  what installed distributions offer by entry points
"""
