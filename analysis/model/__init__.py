"""The cell-means model and the least-squares fit, and how a number gets its interval.

cell_means     means and variances over the grid   margins        equal-weight means
terms          terms and their columns             completion     what stands in empty cells
classical      one error variance                  contrast_text  a contrast as written
interval_rule  which interval is the primary one   grid           all of it at hand
"""
