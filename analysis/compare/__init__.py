"""The same effects in several studies, side by side.

comparison  estimates and their differences    notes  what the reader must know
"""
