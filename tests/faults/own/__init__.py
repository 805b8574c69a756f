"""The fault matrix for a trainer of one's own: each fault in a function and in a command.

foreign       one script that is both, its faults by name      study   specifications and benches
test_endings  how a cell ends                                  test_manners  what it may do on the way
test_numbers  where its numbers come from                      test_runs     the run around it
"""
