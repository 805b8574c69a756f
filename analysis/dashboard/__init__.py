"""What optuna-dashboard shows of a study: panels, a note in plain words, a picture of every curve.

board = Board(store, study)
board.publish()         # now and then while the grid runs, and once at its end
"""

from analysis.dashboard.board import Board

__all__ = ["Board"]
