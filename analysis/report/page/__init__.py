"""The report's page: one HTML file that needs nothing else; its template and scripts lie here too.

page           rendered                     data          what its scripts read
page_sections  figures, texts, tables       runs_table    as it stands without scripts
page_figures   a section as it is shown     inline_svg    pictures in the page
level_tables   levels as numbers, changes   causes_table  why runs did not converge
tuning_tables  what tuning found and changed; what else differs between levels
"""
