"""`doctor`: why one training does not converge, and the grid that could refute the answer.

doctor       the verb                        words        a diagnosis as a person reads it
repair_file  the grid, as a YAML file        repair_run   the grid, run and answered
"""
