"""The same effects in several studies, side by side.

comparison  estimates and their differences    verdicts  which hold in all of them
notes       what the reader must know
"""
