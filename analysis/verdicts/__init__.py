"""Judgements: are planned claims so, is it decided yet, what could be found.

claims  planned contrasts judged      rate_claims  those about convergence
looks   interim looks between waves   looks_words  the same in one line
power   what a design can detect      replicates   how many more would decide
"""
