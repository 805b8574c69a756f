"""What figures share: style, labels, panels, captions, files.

style    colours, widths, the look     labels         names that fit
nested   maps of nested factors        factor_panels  one panel a factor
caption  runs behind a figure          saving         PNG, SVG, PDF and the numbers
limits   no value that cannot be
"""
