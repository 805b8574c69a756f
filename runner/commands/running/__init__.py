"""Verbs that train, and what they share: one session with its screen.

grid     every cell that has not been run   work         one more worker
retry    failed cells wait again            tune_device  slots measured
session  slots, display, tally              screen       what a person sees meanwhile
hours    a budget of time                    beforehand   what grid looks at first
"""
