"""Outcomes beside the one looked at: who converged, how fast, how well then, what was lost.

others           each worked out when asked for     rates            shares of yes and no
convergence      a run's yes or no                  given_converged  accuracy of those that did
time_to_target   epochs until the target            target_times     what counts as one
missing          lost and waiting runs              profiles         runs above a score
"""
