"""Figures of runs and combinations: how they ended, how well, how fast.

cell_heat_map        cell_strip    performance_profile    convergence_rates
learning_curves      time_to_target                       curve_panels
"""
