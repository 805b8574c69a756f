"""Slots that claim cells, the processes that train them, and where slots are.

coordinate  a whole run on this machine     slot       a place where one cell trains at a time
worker      what the slots of it share      calibrate  how many slots a device serves best
sharing     who may train beside whom       budget     hours, and what they buy
cluster     slots as Dask tasks             process/   a cell's own process
alike       first cells that all fail
"""
