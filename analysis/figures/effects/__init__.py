"""Figures of effects and their tests.

main_effects     forest      pareto    half_normal    variance_shares    diagnostics
"""
