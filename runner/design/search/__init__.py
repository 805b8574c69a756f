"""Which runs a fraction has, and how good a set of runs is; arrays of codes only.

regular   by generators        exchange  by exchanging runs
fraction  the kind asked for   quality   what runs can estimate, what they mix up
listed    around a baseline, or from a file   folding   levels swapped
information  what is known after some runs, what one more would add
screening  which of many factors matter
"""
