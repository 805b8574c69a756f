"""Outcomes beside the one looked at: who converged, how fast, how well then, what was lost.

convergence      yes or no a run           given_converged  accuracy of those that did
time_to_target   epochs until the target   target_times     what counts as such a time
missing          lost and waiting runs     profiles         shares of runs above a score
"""
