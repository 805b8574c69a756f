"""The report's page: one HTML file that needs nothing else; its template and scripts lie here too.

page           rendered                     data        what its scripts read
page_sections  figures, texts, tables       inline_svg  pictures in the page
page_figures   a section as it is shown     tables/     what stands there as tables
"""
