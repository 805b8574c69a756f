"""The content of effects.json, key by key; its schema lies beside it.

document        `document(study)`, `write_document`
parts           of the outcome looked at
other_outcomes  convergence, time to target, claims about them
"""
