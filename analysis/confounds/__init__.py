"""What else differs between levels than their names: size, arithmetic, time, memory, rate.

measures  what is measured of every run, and its ratios between levels
equal     the outcome at equal compute, from the learning curves
flags     effects that one of these could explain, in a sentence each
"""
