"""A screening study: which few of many factors matter, what they may be mistaken for, what next.

array     main effects of the runs at hand     noise      how sure each is
sparse    the few terms that explain the runs  screen     what is named, and beside which pairs
follow_up the study that comes next            words      all of it in sentences
"""
