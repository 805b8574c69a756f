"""The figures of a study, each with the table of its numbers.

catalogue     the one list of them        figure    what the record of one holds
factors       of factors and terms        pairs     of two factors, of what is mixed up
combinations  of combinations and runs    rounding  columns of rounded numbers
convergence_and_time  of how runs ended   trends  of levels that are numbers
"""
