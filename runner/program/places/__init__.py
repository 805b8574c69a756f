"""Where rows and files are, as both programs are told.

storage  --storage and --results
"""
