"""Why cells of a grid do not converge, told from what they left: no repair is run, no torch needed.

run     a cell as it is judged      rules  causes, each with its evidence in one sentence
why     the answer for one cell     grid   which level of a factor a cause is absent from
"""
