"""Counts of yes and no: shares, exact tests over strata, penalised logistic regression.

proportions  Wilson, Newcombe    cmh         exact Cochran-Mantel-Haenszel
firth        Firth's model       likelihood  its penalised likelihood, and the climb to the top
combinations  pairs of levels against the rest
common_difference  of two levels over strata, in one voice with the exact test
"""
