"""One argument of a training script or function, and what its name tells of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["flag", "integer", "number", "text", "other"]
Role = Literal["seed", "folder", "device", "resume", "other"]

MOST_LEVELS = 6
"""Of a factor that is proposed: more choices than that are a question, not a first try."""

_ROLES: dict[Role, str] = {
    "seed": r"(\w+_)?seed|random_state|rng_seed",
    "folder": r"(out|output|save|results?|log|logging|work|checkpoint|ckpt|run|exp|model|metrics)_?"
    r"(dir|folder|path|root)|out|output|logdir|outdir|workdir|folder|default_root_dir|hydra\.run\.dir",
    "device": r"device|accelerator_device",
    "resume": r"resume(_from)?(_checkpoint)?|(from_|load_)?(checkpoint|ckpt)|load|restore(_from)?",
}

_TELLING = (
    r"lr|learning_?rate|base_lr|eta",
    r"optim|optimizer|solver",
    r"loss|loss_?fn|criterion|objective",
    r"model|arch|architecture|backbone|net|network|model_name|encoder|kind",
    r"aug|augment|augmentation|mixup|cutmix",
    r"schedule|scheduler|lr_schedule|lr_scheduler",
    r"dropout|drop_?rate|p_drop",
    r"weight_decay|wd|l2|alpha|reg|regulari[sz]ation",
    r"norm|normali[sz]ation|batch_?norm",
    r"activation|act",
    r"init|initiali[sz]ation",
    r"momentum",
    r"hidden|hidden_?(size|dim|units)|width|depth|n?_?layers|num_layers|n_estimators|max_depth",
    r"batch_?size|bs",
)
"""Names that most often are what somebody wants to know about, the most telling first."""

_NO_FACTOR = (
    r"(\w+_)?(epochs?|steps|iters?|iterations|interval|every|freq(uency)?|workers|threads|jobs|"
    r"verbose|verbosity|quiet|debug|port|host|rank|local_rank|gpus?|gpu_ids?|cuda|mps|accel|cpu|amp|"
    r"pin_memory|dry_run|save|save_model|wandb|project|entity|name|tag|tags|data|dataset|"
    r"data_?(dir|root|path)|root|path|file|config|download|version|patience|print_freq|test_batch_"
    r"size|eval_batch_size|distributed|profile|resume|evaluate|log\w*)|no_\w+|log_\w+|save_\w+|use_cuda"
)
"""Names of what says how long, where or how loud; nobody asks for the effect of these."""


_LOUD = (
    r"(^|_)(log|print|save|eval|interval|every|freq|workers|threads|jobs|port|rank|verbose|gpus?)"
)
"""Numbers that say how often, how loud or with how many hands."""

_USUAL = (
    (r"momentum|beta\d?|ema(_decay)?", 0.9),
    (r"dropout|drop_?rate|p_drop", 0.5),
    (r"label_smoothing|mixup(_alpha)?|smoothing", 0.1),
    (r"weight_decay|wd|l2", 1e-4),
)
"""Numbers that are asked about as 'with or without', and their usual value."""

_USUAL_RATES = (0.1, 0.01)
"""Learning rates to try where nothing says which."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument.

    Attributes:
        name: as the specification writes it: "lr", "weight_decay", "model.depth".
        spelled: as a command writes it: "--weight-decay"; of a function its name.
        kind: of its values.
        default: plain value; None where there is none, or none that YAML holds.
        required: whether it must be given.
        choices: the values it takes; () where any, or unknown.
        seen_choices: whether `choices` were read out of the source, not declared.
        help: words about it, one line.
        positional: of a command, whether it stands without a name.
    """

    name: str
    spelled: str
    kind: Kind = "text"
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    seen_choices: bool = False
    help: str = ""
    positional: bool = False

    @property
    def role(self) -> Role:
        """What the run itself gives it, by its name; "other": nothing."""
        name = self.name.lower().replace("-", "_")
        return next((role for role, names in _ROLES.items() if re.fullmatch(names, name)), "other")

    @property
    def telling(self) -> int | None:
        """How telling a factor it would be, 0 the most; None: no factor."""
        if self.role != "other" or self.positional or len(self.levels) < 2:
            return None
        name = self.name.lower().replace("-", "_")
        last = name.rpartition(".")[2]
        if re.fullmatch(_NO_FACTOR, last):
            return None
        named = next((k for k, one in enumerate(_TELLING) if re.fullmatch(one, last)), None)
        if named is not None:
            return named
        by_kind = {"number": 1, "flag": 2, "integer": 3}
        return len(_TELLING) + (0 if self.choices else by_kind.get(self.kind, 4))

    @property
    def levels(self) -> tuple[Any, ...]:
        """Levels to try, the default first; () where none come to mind."""
        if self.kind == "other":
            return ()
        if self.choices:
            first = [self.default] if self.default in self.choices else []
            rest = [one for one in self.choices if one not in first]
            return tuple([*first, *rest][:MOST_LEVELS])
        if self.kind == "flag":
            return (True, False)
        if self.default is None and self.kind in ("number", "text"):
            return self._usual_levels
        if self.kind == "integer" and isinstance(self.default, int) and self.default > 0:
            return (self.default, 2 * self.default)
        if self.kind == "number" and isinstance(self.default, int | float):
            last = self.name.lower().rpartition(".")[2]
            usual = next((v for names, v in _USUAL if re.fullmatch(names, last)), None)
            if usual is not None:
                return (self.default, usual if self.default == 0 else 0.0)
            tenth = float(f"{self.default / 10:.6g}")
            return (self.default, tenth if self.default else 0.1)
        return ()

    @property
    def _usual_levels(self) -> tuple[Any, ...]:
        """Levels of a number that is known by its name and has no default."""
        last = self.name.lower().rpartition(".")[2]
        if re.fullmatch(_TELLING[0], last):
            return _USUAL_RATES
        usual = next((value for names, value in _USUAL if re.fullmatch(names, last)), None)
        return () if usual is None else (0.0, usual)

    @property
    def matters(self) -> bool:
        """Whether it has a finite number by default, of which a result may depend."""
        given = self.kind in ("integer", "number") and not self.positional
        plain = given and isinstance(self.default, int | float)
        loud = re.search(_LOUD, self.name.lower().replace("-", "_"))
        return plain and math.isfinite(self.default) and self.role == "other" and loud is None


def with_seen_choices(
    arguments: Sequence[Argument], seen: Mapping[str, tuple[str, ...]]
) -> list[Argument]:
    """Texts without declared choices take those that the source is seen to tell apart."""
    found = []
    for one in arguments:
        known = seen.get(one.name.rpartition(".")[2], ())
        values = tuple(dict.fromkeys([*([one.default] if one.default else []), *known]))
        if known and one.kind == "text" and not one.choices and len(values) > 1:
            one = replace(one, choices=values, seen_choices=True)
        found.append(one)
    return found
