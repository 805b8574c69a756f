"""What a study with a trainer of somebody's own is made of.

`trainer` the function or command that a cell is, `response` the records of the numbers it ends
with.
"""
