"""The fault matrix for a trainer of one's own: each fault in a function and in a command.

foreign       one script that is both, its faults by name    study  specifications, benches
test_endings  how a cell ends              test_manners  what it may do on the way
test_numbers  where its numbers come from  test_limits   its time limit
test_runs     the run around it            test_plans    code, place, disk, names
"""
