"""The published faults under other tools: who notices, who names the cause, who cries wolf.

plain      the loop alone       postmortem        torchmortem
answer     what a tool said     lightning_checks  what Lightning offers
meanings   what messages mean in the doctor's kinds
measure    a line each          page              the table

`python -m tests.benchmarks.doctor.beside`; the doctor's own rows are those of `published`.
"""
