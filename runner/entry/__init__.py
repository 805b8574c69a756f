"""Where both programs are one command.

ablate      every verb of both, by one name   variables   what the environment may say
completion  what a shell offers for it
"""
