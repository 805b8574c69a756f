"""The cell-means model and the least-squares fit, and how a number gets its interval.

cell_means  means and variances over the grid   interval_rule  which interval is chosen
margins     equal-weight means of a term        completion     what stands in for empty cells
welch       every cell its own variance         classical      one error variance
terms       terms and their columns             contrast_text  a contrast as written
"""
