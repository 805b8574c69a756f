"""What a cell is and what it ends as: plain values that every other room passes on.

cell      one combination, one replicate, one hash    outcome        what training ended as
level     levels and factors                          outcome_files  outcomes on disk
protocol  what all cells share                        seeds          one stream a purpose
code      which plugin files a cell depends on        response       how analysis sees outcomes
own/      a function or command instead of the shipped trainer
"""
