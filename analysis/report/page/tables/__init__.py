"""Tables of the report's page.

runs_table     every run, as it stands without scripts   causes_table  why runs did not converge
level_tables   levels as numbers, of a baseline         effects_table  all of every factor
tuning_tables  what tuning found and changed; what else differs between levels
"""
