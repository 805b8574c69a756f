"""The images of a study: read once a machine, kept as memory-mapped uint8, split once and for all.

    loading    three splits of a study       sources    reading each built-in set
    images     what a set is once read       identity   what makes two reads the same
    cache      arrays shared by processes    downloads  fetched once
    split      stratified choices            folder    images as people have them

`load(spec)` gives the same three splits to every cell. Nothing here imports torch; torchvision is
loaded only to download and decode one of its data sets for the first time.
"""

from runner.data.identity import data_identity
from runner.data.images import DataError, Images
from runner.data.loading import load

__all__ = ["DataError", "Images", "data_identity", "load"]
