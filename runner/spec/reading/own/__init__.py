"""What is read of a file whose trainer is a function or command of somebody's own.

`trainer` what is called, `levels` open factors and levels, `responses` the numbers it ends with,
`resolve` all of it together.
"""
