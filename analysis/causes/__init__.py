"""Why runs of a study did not converge: the causes that `runner.doctor.cells` names, as tables.

found   every run's cause, and the levels that it is absent from
words   which runs, of what, and which level removes it
stored  evidence of a store, read for the runs that are asked about
"""
