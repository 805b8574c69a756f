"""Whether a trainer of one's own takes what the factors give, looked at before anything runs.

`signature` of a function, in a process of its own; `options` of a command, from its `--help`.
"""
