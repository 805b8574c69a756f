"""Figures of pairs of factors.

interaction_matrix    interaction_heat_maps    alias_map
"""
