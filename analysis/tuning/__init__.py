"""What tuning found before the grid, and whether it changed what the grid says.

searched  the trials of a group, its best values, how flat and how near an end they are
effects   each difference between levels, tuned and as given
words     all of it in sentences
"""
