"""The closed list of causes, the rules that find them and the repairs that prove them.

kinds      the list                           finding   a cause found, a repair to try
mistakes   what is wrong by definition        suspects  what is likely, with its repair
changes/   the repairs themselves             remains   what can be said where none helped
network_suspects  the same as suspects, of the network itself
"""
