"""Verbs that only look: nothing here trains a cell or imports torch.

plan    what would run          status     how far a study is
show    one cell                diff       two cells side by side
guard   whom it answers         dashboard  optuna-dashboard on the store
schema  for editors             layers_seen  what the layers of a cell did, for show
"""
