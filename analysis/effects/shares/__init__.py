"""Shares of the variance: how much of all variation each term explains.

variance_shares  what both have in common
grid_shares      of a complete grid, exactly    model_shares  of an incomplete one, by a fit
"""
