"""Behind one interface, what trains a cell: the shipped image classifier, a function, a command.

`train(cell, place, report)` is what each of them is: it returns an outcome and raises nothing of
the trainer's. The image classifier is `runner.training`.

place     where a cell trains          function   a function of one's own
run       what a function may use      command    a command of one's own
endings   numbers become an outcome    metrics    numbers from files and from what is printed
failure   what an exception means      command_line  how a cell is written
look/     at the arguments, before anything runs
"""
