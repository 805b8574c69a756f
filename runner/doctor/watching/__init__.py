"""What is seen of a training: the data, the network, one look and one short run.

made       what `make(seed)` returned         batches   the same ones for every trial
task       what is learned, how it is scored  layers    signal and gradient, layer by layer
facts      what the data and the loss are     trial     one short training, watched
evidence   all of that of one training        passing  of a loop of one's own
"""
