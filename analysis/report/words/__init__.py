"""What a report says in words: the answer, its caveats, the methods, tables for a paper.

answer   what decides      caveats  what to keep in mind
methods  for a paper       paper    tables in LaTeX and Markdown
wording  numbers and names as a reader meets them
"""
