"""A cell's own process, from outside and from inside.

launch        start it, hand it a job, watch it, end it    child    what runs in it
parent_death  it ends with whoever started it              preload  what the fork server imports
preload_own   the same for a trainer of one's own
"""
