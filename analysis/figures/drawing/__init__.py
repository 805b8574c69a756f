"""What figures share: style, labels, panels, captions, files.

style    colours, widths, the look    labels   names that fit
panels   rows of panels by factor     nested   maps of nested factors
caption  runs behind a figure         saving   PNG, SVG, PDF and the numbers
measure  how an outcome is shown
"""
