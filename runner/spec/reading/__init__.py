"""From the YAML file to a checked `Spec`, every mistake named with its place.

files/  read, found, laid over one another   load          the whole way, `load_spec`
levels  what stands under `factors`          restrictions  under `exclude` and `only`
claims  under `claims`                       tune          under `tune`
own/    where the trainer is somebody's own  json_schema   for editors
plugins  what a file names or is offered
"""
