"""What the programs `python -m runner` and `python -m analysis` share.

wording  lists, counts and spans of time in words    exits    how a verb ends
files    whole or not at all                         streams  open, and taking any sign
naming   what the program is called                  version  what is installed
needs    what is not there, said beforehand           answers  `--json`
places/  where rows and files are
"""
