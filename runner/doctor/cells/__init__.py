"""Why cells of a grid do not converge, told from what they left: no repair is run, no torch needed.

Every threshold says what it bounds and where that is from; none was set on published results.

run    a cell as it is judged        why     the answer: at most two causes, "healthy", "not known"
start  shown before the first step   cause   a cause, and its sentence's numbers and names
steps  shown while it trains         grid    at which levels of a factor a cause never comes
ending shown at the end
"""
