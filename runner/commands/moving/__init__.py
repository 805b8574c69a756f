"""Verbs that take a study out of its store.

export   tables of its cells, curves and attempts   copy   the whole of it in another store
"""
