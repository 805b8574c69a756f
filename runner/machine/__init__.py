"""What this machine offers to train on, found without importing torch, and what it is.

device  a device, a slot on it      cpu         cores this process may use
cuda    devices by NVML             slots       the devices asked for, the slots on them
provenance  commit, versions, machine of an attempt
cache_folder  where the machine keeps what it made once
memory  how a lack of it shows
"""
