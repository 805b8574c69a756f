"""Faults that others published, each broken and corrected: `make(seed)` functions for `doctor`.

case      what a case is            regressions, classifiers, loops, text   the trainings
data      loaders and tables        cases     their sources, what is right, what others said
measure   diagnoses, a line each    page      the table

`python -m tests.benchmarks.doctor.published` measures them. Facts were taken from the sources, no
code: layers are torch's with torch's initial weights, data synthetic or of scikit-learn. Sources,
faults and right kinds were written down before any case was diagnosed, and no rule of the doctor
was changed for one.
"""
