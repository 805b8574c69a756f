"""Verbs that only look: nothing here trains a cell or imports torch.

plan    what would run          status     how far a study is
show    one cell                export     tables
schema  for editors             dashboard  optuna-dashboard on the store
guard   whom it answers         layers_seen  what the layers of a cell did, for show
"""
