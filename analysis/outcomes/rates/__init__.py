"""Shares of yes and no over a grid.

observed  counted, and compared where runs are alike in all else
modelled  by least squares, in fractions, where hardly any are
"""
