"""What the programs `python -m runner` and `python -m analysis` share.

wording  lists, counts and spans of time in words    exits  how a verb ends
closed_streams  standard streams that somebody closed
"""
