"""A paper that compiles as it is: pdflatex main.

build    all its files                      numbers    a macro a number
results  tables of what was asked, figures  checklist  on settings, seeds, error bars, compute
compute  what the runs took
"""
