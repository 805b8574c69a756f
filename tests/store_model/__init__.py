"""The store against a model of it: any order of words, outages and crashes.

model       what the store must do, in plain Python     troubles     outages and crashes at commits
watching    when a lease has run out                     world        the real store, its processes
machine     Hypothesis drives both, step by step         test_machine  on SQLite and on PostgreSQL
mutants     one-line changes that must be found          surgery      how they are tried
"""
