"""What a report says in words: the answer, its caveats, the methods, tables for a paper.

answer    what decides                   caveats      what to keep in mind
methods   for a paper                    paper        tables in LaTeX and Markdown
progress  how far the grid is            pairs_shown  what is known of every pair
names     of intervals and tests         convergence_words  who reached the target, and why
"""
