"""What a report says in words: first in three lines, then in full; caveats, tables for a paper.

answer    what decides                   caveats      what to keep in mind
papers/   methods and tables for them    brief/       the three lines and their table
progress  how far the grid is            pairs_shown  what is known of every pair
names     of intervals and tests         undrawn      in place of a display that failed
places    devices, machines, versions
convergence_words  who reached the target, and why
"""
