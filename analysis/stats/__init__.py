"""Statistics of arrays: numbers in, numbers out; nothing here knows a factor, a table or a store.

estimates        a number, its interval      welch            a variance for every mean
coding           columns for levels          over_replicates  t over replicates, runs lost
multiplicity     Holm, Tukey, Games-Howell   effect_sizes     partial eta and omega squared
kaplan_meier     times that may be censored  arrays           names for kinds of arrays
counts/          of yes and no               distributions/   that SciPy lacks
"""
