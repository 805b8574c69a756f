"""What happens to cells: each module is one kind of transition, each function one transaction.

planning  the design as rows          leasing   taking cells, keeping them
endings   finish, fail, release       recovery  what crashes leave
liveness  who still lives             adoption  outcomes of other studies
policy    which failures are tried again
"""
