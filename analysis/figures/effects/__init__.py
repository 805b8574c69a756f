"""Figures of effects and their tests.

main_effects    forest         pareto    half_normal
share_bars      diagnostics    numeric_trends
"""
