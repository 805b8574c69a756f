"""What a training consists of: what changes in it, and what a cell may ask of it besides.

learner   all that changes, and its start    objective  loss, label smoothing, mixing
averaged  the weights that are evaluated     warming    the first steps' rate
kept      the weights that are left behind
"""
