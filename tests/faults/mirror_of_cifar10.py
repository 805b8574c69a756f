"""A plugin that sends torchvision's CIFAR-10 to the server of a test, named by FAULT_MIRROR.

So the whole path from `python -m runner grid` down is the product's and torchvision's own.
"""

import json
import os

from torchvision.datasets import CIFAR10

for name, value in json.loads(os.environ["FAULT_MIRROR"]).items():
    setattr(CIFAR10, name, value)
