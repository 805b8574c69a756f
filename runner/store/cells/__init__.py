"""What happens to studies and cells: a kind of transition a module, a transaction a function.

studies   their rows, registering     planning  the design as rows
leasing   taking cells, keeping them  endings   finish, fail, release
liveness  who still lives             recovery  what crashes leave
adoption  outcomes of other studies   policy    which failures are tried again
"""
