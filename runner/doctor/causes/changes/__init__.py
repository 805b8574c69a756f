"""The repairs themselves: one thing of a training changed, by a name and settings YAML can carry.

named         a change by its name             of_data       inputs, targets, loaders
of_learning   rate, loop body, optimizer, loss  of_network    modules and their weights

Modules are named, so that a repair holds for the same training made with another seed, and changed
by hooks, so that nothing of a person's model has to be rebuilt. Weights, statistics and the
optimizer's groups are put back by `made.Start`.
"""
