"""Files as trees whose nodes know their places.

source   one file as a tree              merge  files, profiles and --set laid over
shipped  those that come with the program
"""
