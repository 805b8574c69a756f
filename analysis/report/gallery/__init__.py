"""The figures of a study, by name, each with its numbers.

drawings  study in, figure out    numbers  the table behind each
"""
