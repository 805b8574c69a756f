"""Where both programs are one command.

ablate      every verb of both, by one name
completion  what a shell offers for it
"""
