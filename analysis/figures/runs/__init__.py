"""Figures of runs and combinations: how they ended, how well, how fast.

cell_heat_map        cell_strip       performance_profile    cause_map
convergence_rates    target_curves    learning_curves        curve_panels
"""
