"""From the YAML file to a checked `Spec`, every mistake named with its place.

source  the file as a tree with places     merge   files, profiles and --set laid over
levels  what stands under `factors`        restrictions  under `exclude` and `only`
load    the whole way, `load_spec`         json_schema   for editors
claims  under `claims`                     tune    under `tune`
own/  where the trainer is somebody's own  shipped  files that come with the program
"""
