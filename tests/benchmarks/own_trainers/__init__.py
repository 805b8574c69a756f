"""What surrounds a function or a command of one's own, beside what people would use instead.

`python -m tests.benchmarks.own_trainers` writes `results/benchmarks/own_trainers.{json,md}`. The
function and the command are `programs/own/fit.py` and `fit.sh`; every contestant's program lies
beside them.

workload     what a cell does, how many there are    run     one command under the meter
contestants  who is compared, as a user types it     rounds  all of them, interleaved
page         the table and its goals
"""
