"""Why a training does not converge: evidence, a closed list of causes, repairs that are run.

watching/  what a training is and does        causes/     what may be wrong, and what would mend it
trying/    repairs run from the same start    diagnosis   from a training to at most two causes
lines      of a person's file that a cause is about      cells/  the same list for cells of a grid
"""
