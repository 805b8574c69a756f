"""The long table every analysis starts from, read, checked and typed once, here.

forms/    tables as people write them
tidy      the checked `Table`        statuses  how runs ended, in one vocabulary
columns   labels, numbers, yes, no   cells     runs by combination of levels
reading   a file as text             records   rows as JSON
runs      a store's study as rows    curves    a store's learning curves
"""
