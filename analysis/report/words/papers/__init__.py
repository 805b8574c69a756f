"""What a paper takes over.

methods   one paragraph in the past tense    tables   in LaTeX and Markdown
inference how intervals and tests were made  changes  of one factor of the baseline
latex     names that it sets literally       macros   one a number
article/  a paper that compiles as it is
"""
