"""The report's page: one HTML file that needs nothing else; its template and scripts lie here too.

page           rendered                     data        what its scripts read
page_sections  figures, texts, tables       runs_table  as it stands without scripts
inline_svg     pictures in the page
"""
