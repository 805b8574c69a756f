"""The figures of a study, each with the table of its numbers.

catalogue     the one list of them        figure    what the record of one holds
factors       of factors and terms        pairs     of two factors, of what is mixed
combinations  of combinations and runs    endings   of convergence and time
rounding      columns of rounded numbers
"""
