"""The same effects in several studies, side by side.

effects  estimates and their differences    notes  what the reader must know
"""
