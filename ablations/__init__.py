"""What is varied: one module a factor, one function a level, and the YAML files that ask.

augmentation    scheduler    init    bn_placement    optimizer
registry  how a level is found by name    bounds  bounds of its parameters
errors    the user's to mend              pixels/ what augmentation is made of
plugins/  levels that are others' own
optional/ factors that a file may leave out: loss, mixing, clipping, averaging, warmup
"""
