"""What `grid` does before its cells where the file says `tune:`, and what `plan` says of it.

search  the trials of every group, in waves, until the budget is spent
words   what tuning costs and what it found
"""
