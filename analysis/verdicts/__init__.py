"""Judgements: what is so, are planned claims, is it decided yet, what could be found.

judgement       all questions of a study, judged together
claim_verdicts  planned contrasts judged    rate_claims  those about convergence
looks           which differences are decided    looks_words  the same in one line
power           what a design can detect    replicates   how many would decide
simulated_power what shows in convergence and in epochs, by simulated studies
"""
