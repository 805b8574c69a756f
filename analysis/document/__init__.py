"""The content of effects.json, key by key; its schema lies beside it.

effects   of the outcome looked at     sections  of the others
"""
