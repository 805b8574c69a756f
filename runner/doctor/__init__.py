"""Why a training does not converge: evidence, a closed list of causes, repairs that are run.

watching/  what a training is and does        causes/     what may be wrong, and what would mend it
trying/    repairs run from the same start    diagnosis   from a training to at most two causes
watch      the same evidence of a loop of one's own      cells/  the same list for cells of a grid
callbacks/ of Lightning and of a Hugging Face Trainer
lines      of a person's file that a cause is about
repairing  the trainer of a grid that could refute a diagnosis
"""
