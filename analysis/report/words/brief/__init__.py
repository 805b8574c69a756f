"""What a hurried person reads first: at most three lines, then one table of what was asked.

records  lines and rows, which every display renders       build  both put together
lines    what decides, what goes with it, what is open     rows   a factor, a pair, a claim
convergence_line  which runs converged, and why            text   for terminal and Markdown
open_line         what is open, what it would take         combinations  their means
"""
