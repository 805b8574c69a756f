"""Two cells of a study side by side, each one run or a combination with all its runs.

sides         which cell is meant               settings  what a combination's runs were given
side_by_side  what differs, and what came of it
"""
