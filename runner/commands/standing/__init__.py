"""How a study stands, for verbs that say it.

designs  what other designs would cost and could decide
left   what of a design is done, what is left and how long it takes
notes  what is said of a design before it is run
namesakes  what differs between studies of one name
"""
