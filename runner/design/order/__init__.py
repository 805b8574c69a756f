"""Which cells to run first where time is short.

best_next what tells most per second        measured_cost  how long a cell will take
"""
