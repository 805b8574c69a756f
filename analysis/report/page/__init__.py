"""The report's page: one HTML file that needs nothing else.

page        sections, rendered      data    what its scripts read
inline_svg  pictures in the page    template/, vendor/
"""
