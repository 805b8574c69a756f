"""Judgements: are planned claims so, is it decided yet, what could be found.

claim_verdicts  planned contrasts judged    rate_claims  those about convergence
looks           between waves               looks_words  the same in one line
power           what a design can detect    replicates   how many would decide
"""
