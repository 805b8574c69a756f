"""What a batch does to every layer of a network: one home for what the doctor and cells measure.

layers   statistics of every layer         probe    a look that leaves no trace
record   what is kept of a cell's looks    moments  after which steps a cell is looked at
"""
