"""What is varied: one module a factor, one function a level, and the YAML files that ask."""
