"""Do nominal 95 % intervals cover, how wide are they, do 5 % tests err in 5 %? By simulation.

    nice -n 10 python -m tests.benchmarks.coverage          # 4 minutes of one core
    python -m tests.benchmarks.coverage --draws 4000 --studies 300 --out coverage.md

Grids are drawn around the cell means and deviations of a real factorial (HPOBench vehicle:
3x3x2x2x2, 14 cells at chance, deviations 0 to 0.2) and others of 4 to 300 cells: with seeds of
each cell's own, or shared by the cells of a replicate, which then may move together, all of them
or those of one level; with runs at chance, heavy tails, runs lost, cells empty. Coverage needs many
draws to be known to a fraction of a point, so its estimators are written for whole batches of
grids; `tests/analysis/test_coverage_benchmark` holds them against the package's own.
Incomplete grids (an eighth of the draws) and tests of terms go through the package draw by draw.

worlds  what is drawn      estimators  intervals of whole batches
errors  tests              page        the tables
"""
