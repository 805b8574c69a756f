"""Tables as people write them, turned into one row a run before anything is checked.

text     delimited text: encoding, delimiter, comments, ragged lines
sheets   Parquet and Excel
numbers  93.2%, 0.90±0.002, 10,803, decimal commas, what means missing
levels   0.001 and 1e-3, Adam and adam
shape    what a person says of a table's form, and the table in long form
wide     a column a seed               summary  mean, deviation and count
nesting  replicates within larger units
"""
