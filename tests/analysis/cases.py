"""Reference cases of factorial fits: which model of which data, and the numbers expected.

Published, certified or computed by R; `published` knows where their folders lie, and
`cases/README.md` where their numbers come from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.analysis.published import find


@dataclass(frozen=True)
class Case:
    """One fit of one case: data, model and the file with the expected numbers."""

    name: str
    factors: tuple[str, ...]
    response: str
    order: str = "full"
    expected: str = "computed.json"
    block: str | None = None
    transform: str | None = None  # log, sqrt, tenth

    def __str__(self) -> str:
        return f"{self.name}-{self.expected.removesuffix('.json')}"

    @property
    def folder(self) -> Path | None:
        """Where the case is, committed first; None where it is not on this machine."""
        return find(self.name)

    def load_expected(self) -> dict[str, Any]:
        assert self.folder is not None
        loaded: dict[str, Any] = json.loads((self.folder / self.expected).read_text("utf-8"))
        return loaded

    def write_table(self, path: Path) -> None:
        """The case's table with the response as the fit takes it."""
        assert self.folder is not None
        frame = pd.read_csv(self.folder / "data.csv", dtype=str, keep_default_na=False)
        if self.transform:
            y = frame[self.response].astype(float)
            done = {"log": np.log, "sqrt": np.sqrt, "tenth": lambda v: v / 10}[self.transform](y)
            frame[self.response] = [repr(float(v)) for v in done]
        frame.to_csv(path, index=False)


HPO = ("alpha", "batch", "depth", "lr", "width")
FCNET = ("activation_1", "batch", "dropout_1", "init_lr", "lr_schedule")
SOLDER = ("Opening", "Solder", "Mask", "PadType", "Panel")
HOLES = tuple("ABCDE")
OPS = tuple(f"Op{i}" for i in range(6))

NOT_COMMITTED = ("solder_5factor", "solder_balanced_720")
"""Cases that `make reference` makes: their licence is not this repository's."""

CASES = [
    Case("nist_eddy_2x3", ("X1", "X2", "X3"), "Y"),
    Case("montgomery_chem_2x2", ("A", "B"), "Yield"),
    Case("montgomery_chem_2x2", ("A", "B"), "Yield", "2", "computed_blocked.json", "rep"),
    Case("montgomery_plasma_2x3", ("A", "B", "C"), "EtchRate"),
    Case("montgomery_filtration_2x4", tuple("ABCD"), "Filtration"),
    Case(
        "montgomery_filtration_2x4",
        tuple("ACD"),
        "Filtration",
        expected="computed_projected_ACD.json",
    ),
    Case("montgomery_drill_2x4", tuple("ABCD"), "rate"),
    Case(
        "montgomery_drill_2x4", tuple("ABCD"), "rate", expected="computed_log.json", transform="log"
    ),
    Case("bhh_pilot_2x3", ("T", "C", "K"), "yield"),
    Case("bhh_process_2x4", tuple("ABCD"), "conversion"),
    Case("montgomery_battery_3x3", ("Material", "Temp"), "Life"),
    Case("r_warpbreaks", ("wool", "tension"), "breaks"),
    Case("r_warpbreaks", ("wool", "tension"), "breaks", "1", "computed_additive.json"),
    Case("r_toothgrowth", ("supp", "dose"), "len"),
    Case("r_npk", ("N", "P", "K"), "yield", "2", block="block"),
    Case("emmeans_auto_noise", ("size", "type", "side"), "noise", transform="tenth"),
    Case("auto_noise_one_lost_run", ("size", "type", "side"), "noise", transform="tenth"),
    Case("emmeans_pigs", ("source", "percent"), "conc", "1", transform="log"),
    Case("fox_moore_unbalanced", ("fcategory", "partner_status"), "conformity"),
    Case("solder_5factor", SOLDER, "skips", "1", "computed_additive.json", transform="sqrt"),
    Case(
        "solder_5factor", SOLDER, "skips", "2", "computed_2fi_rank_deficient.json", transform="sqrt"
    ),
    Case("solder_balanced_720", SOLDER, "skips", "2", transform="sqrt"),
    Case("simulated_holes_5factor", HOLES, "y", "1", "computed_additive.json", transform="sqrt"),
    Case(
        "simulated_holes_5factor",
        HOLES,
        "y",
        "2",
        "computed_2fi_rank_deficient.json",
        transform="sqrt",
    ),
    Case("ml_hpobench_vehicle_5f", HPO, "acc", "2", block="seed"),
    Case("ml_hpobench_vehicle_5f", HPO, "acc", "full", "computed_full.json", "seed"),
    Case("ml_nasbench201_2x6_unbalanced", OPS, "val_acc", "2"),
    Case("ml_fcnet_protein_5f", FCNET, "val_mse", "2"),
    Case("ml_fcnet_protein_5f", FCNET, "val_mse", "2", "computed_log.json", transform="log"),
    Case("ml_fcnet_protein_5f", FCNET, "val_mse", expected="computed_full.json"),
    Case("ml_caffenet_bn_init_arch_2x3", ("arch", "bn", "init"), "accuracy"),
    Case("ml_caffenet_bn_scale_2x2", ("bn", "scale_bias"), "accuracy"),
    Case("ml_gcr_cifar10_bn_relu_depth_2x3", ("layers", "final_relu", "bn"), "test_error"),
    Case(
        "ml_gcr_cifar10_optimizer_lr_missing",
        ("layers", "optimizer", "lr"),
        "test_error",
        "1",
        transform="log",
    ),
]
