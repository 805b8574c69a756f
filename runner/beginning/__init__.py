"""From somebody's script or function to a first specification: guesses, said to be such.

argument   one argument, what its name tells     observed   arguments, seen in a process of its own
source     what the source text tells            proposal   what becomes a factor, what is fixed
writing    the YAML file with its comments       own_examples   complete ones, run as they are
design_block  another design in a file that is there

The folder `examples/` holds files for people, no modules.
"""
