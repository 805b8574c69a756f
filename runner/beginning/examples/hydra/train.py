"""A Hydra application on handwritten digits: a forest, its configuration, one number at the end.

Needs Hydra: pip install hydra-core. It knows nothing of the grid runner; it prints its result as
JSON, and the last line of JSON is what a command ends with.
"""

import json
from dataclasses import dataclass, field

import hydra
from hydra.core.config_store import ConfigStore
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split


@dataclass
class Forest:
    """The trees."""

    kind: str = "random"
    trees: int = 40
    depth: int = 8


@dataclass
class Config:
    """Everything that an override may change."""

    forest: Forest = field(default_factory=Forest)
    criterion: str = "gini"
    seed: int = 0


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base=None, config_name="config")
def main(config: Config) -> None:
    """Train on 1,000 digits; print the accuracy on the other 797."""
    images, labels = load_digits(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(
        images, labels, train_size=1000, random_state=0
    )
    kinds = {"random": RandomForestClassifier, "extra": ExtraTreesClassifier}
    forest = kinds[config.forest.kind](
        n_estimators=config.forest.trees,
        max_depth=config.forest.depth,
        criterion=config.criterion,
        random_state=config.seed,
    )
    accuracy = forest.fit(train, train_labels).score(test, test_labels)
    print(json.dumps({"accuracy": accuracy}))


if __name__ == "__main__":
    main()
