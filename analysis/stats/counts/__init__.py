"""Counts of yes and no: shares, exact tests over strata, penalised logistic regression.

proportions  Wilson, Newcombe    cmh  exact Cochran-Mantel-Haenszel    firth  Firth's model
"""
