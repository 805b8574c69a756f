"""The content of effects.json, key by key; its schema lies beside it.

document   `document(study)`, `write_document`     estimates  of the outcome looked at
sections   of the other outcomes
"""
