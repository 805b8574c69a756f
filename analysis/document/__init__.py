"""The content of effects.json, key by key; its schema lies beside it.

document        `document(study)`, `write_document`
parts           of the outcome looked at
level_sections  of levels that are numbers, of changes of a baseline
screen_section  of a screening study
tuning_section  of what was tuned before the grid, and what else could explain an effect
other_outcomes  convergence, time to target, claims about them
"""
