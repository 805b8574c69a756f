"""Statistics of arrays: numbers in, numbers out; nothing here knows a factor, a table or a store.

multiplicity     Holm, Tukey, Games-Howell     effect_sizes     partial eta and omega squared
kaplan_meier     times that may be censored    over_replicates  t over replicates, runs lost
counts/          of yes and no                 distributions/   tails and quantiles SciPy lacks
"""
