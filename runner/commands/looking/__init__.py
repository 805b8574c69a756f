"""Verbs that only look: nothing here trains a cell or imports torch.

plan    what would run          status     how far a study is
show    one cell                schema     for editors
guard   whom it answers         dashboard  optuna-dashboard on the store
layers_seen  what the layers of a cell did, for show
"""
