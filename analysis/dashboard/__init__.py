"""What optuna-dashboard shows of a study: panels, a note in plain words, a picture of every curve.

    board        publishes all of it         server    the dashboard, on a store
    study_panels  small Plotly figures       pictures  of one curve
    trial_notes  what happened to each cell  draft     all in one transaction
    importance   shares of variance      words     notes in Markdown

board = Board(store, study)
board.publish()         # now and then while the grid runs, and once at its end
"""

from analysis.dashboard.board import Board

__all__ = ["Board"]
