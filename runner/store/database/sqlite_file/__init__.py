"""The file of a SQLite store, as the system sees it.

in_use  the one that is open here    kept  what a deleted one held
room    why it cannot grow
"""
