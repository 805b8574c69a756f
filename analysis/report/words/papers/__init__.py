"""What a paper takes over.

methods  one paragraph in the past tense    tables  in LaTeX and Markdown
changes  of one factor of the baseline
"""
