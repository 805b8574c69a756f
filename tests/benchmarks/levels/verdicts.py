"""Each shipped level in words: what people mean by its name, and what was found to be so here."""

from __future__ import annotations

from ablations import registry
from tests.benchmarks.levels.untrained import shipped

KEPT, CHANGED = "as meant", "**changed**"

FOUND: dict[tuple[str, str], tuple[str, str]] = {
    ("augmentation", "none"): (KEPT, "The same bits go on."),
    ("augmentation", "basic"): (
        KEPT,
        "RandomCrop(32, padding=4) and RandomHorizontalFlip, the CIFAR recipe; padded with black "
        "before normalising, as there. Not mirrored where a mirrored image is another class.",
    ),
    ("augmentation", "strong"): (
        KEPT,
        "Ranges are torchvision's (table below). Erasing is black, RandomErasing's `value=0` on "
        "pixels; recipes that erase after Normalize paint the mean instead. Fixed order of "
        "colours; hue turns in a linear space (decision 010).",
    ),
    ("augmentation", "trivial_augment"): (
        KEPT,
        "torchvision's TrivialAugmentWide by itself. On CIFAR its authors add flips, crops and "
        "cut-out around it; here it mirrors and crops nothing.",
    ),
    ("scheduler", "constant"): (KEPT, "No scheduler."),
    ("scheduler", "plateau"): (
        KEPT,
        "ReduceLROnPlateau with patience 3 (torch 10, a third of 30 epochs and more than 6). It "
        "falls at the epoch after `patience`; the words said one earlier.",
    ),
    ("scheduler", "cyclic"): (
        CHANGED,
        "Smith's triangles. Half waves were whole steps and drifted: 20 waves in 660 steps ended "
        "at 0.83 of the peak; now the waves are whole. Floor 1/10 as in torch's example, Smith "
        "1/3 or 1/4. The level's rate is the peak, so the mean rate is 0.55 of it.",
    ),
    ("scheduler", "cosine"): (
        KEPT,
        "CosineAnnealingLR over the epochs (half a period of SGDR, no restarts). The floor itself "
        "is never trained at; the words now say so.",
    ),
    ("scheduler", "one_cycle"): (
        KEPT,
        "OneCycleLR's numbers with the momentum left alone. The level's rate is the peak, as "
        "`max_lr` is; Smith and Topin's super-convergence uses a far higher one (3 for 0.35).",
    ),
    ("scheduler", "step"): (
        CHANGED,
        "Tenths at equal distances. One rounded distance made 2 of 3 drops in 6 epochs and 1 of 2 "
        "in 4; now every drop falls.",
    ),
    ("init", "default"): (
        KEPT,
        "Bit by bit what torch draws. Variance 1/(3 fan_in), a sixth of what ReLU needs: without "
        "batch norm the signal fades, as it does for everybody.",
    ),
    ("init", "he"): (
        CHANGED,
        "fan_out also of the classifier, the number of classes: its weights had a deviation of "
        "0.45 and the network began sure of wrong answers. Now fan_in in every layer.",
    ),
    ("init", "xavier"): (
        KEPT,
        "Uniform, gain 1, as xavier_uniform_ and Keras's glorot_uniform. Half of what ReLU needs: "
        "without batch norm the signal fades, which is the point of He et al. (2015).",
    ),
    ("init", "orthogonal"): (
        KEPT,
        "Gain sqrt(2) in every layer (torch's default gain is 1, for linear layers). The "
        "classifier, which no ReLU follows, could do with 1; it starts as `he` does.",
    ),
    ("init", "keep"): (
        KEPT,
        "Fills nothing: what the model drew or brought stays; of the built-in VGG torch's default.",
    ),
    ("init", "naive"): (
        KEPT,
        "Deviation 0.01 everywhere, as AlexNet was started. Without batch norm the "
        "signal is lost before the classifier: that is what the level is for.",
    ),
    ("bn_placement", "none"): (KEPT, "Convolution with bias, ReLU."),
    ("bn_placement", "before"): (
        KEPT,
        "Convolution without bias, norm, ReLU (Ioffe and Szegedy, 2015); torch's momentum and eps.",
    ),
    ("bn_placement", "after"): (
        KEPT,
        "Convolution with bias, ReLU, norm; the maximum follows the norm, the classifier sees "
        "centred features.",
    ),
    ("optimizer", "adam"): (KEPT, "torch's Adam with all its defaults."),
    ("optimizer", "adamw"): (
        KEPT,
        "torch's AdamW with all its defaults; biases and norms decay too, as there.",
    ),
    ("optimizer", "sgd"): (
        KEPT,
        "torch's SGD at 0.1 with decay 5e-4, the CIFAR recipe's numbers; torch's own are 1e-3 and "
        "no decay.",
    ),
    ("optimizer", "sgd_momentum"): (
        KEPT,
        "0.05, 0.9, 5e-4: what chengyangfu/pytorch-vgg-cifar10 trains VGG with at batch 128. "
        "torch's SGD has no momentum unless asked.",
    ),
    ("optimizer", "sgd_nesterov"): (KEPT, "The same with torch's Nesterov momentum."),
    ("optimizer", "rmsprop"): (
        KEPT,
        "torch's RMSprop at Keras's rate of 1e-3, a tenth of torch's; the running mean is torch's "
        "0.99 where the lecture and Keras have 0.9.",
    ),
    ("loss", "cross_entropy"): (KEPT, "torch's; label smoothing is the field of `train`."),
    ("loss", "focal"): (
        KEPT,
        "Lin et al.'s eq. 4 over the softmax, mean over images, gamma 2 as theirs. Without alpha "
        "(theirs 0.25), which weighs detection's background.",
    ),
    ("loss", "mean_squared_error"): (
        KEPT,
        "torch's MSELoss of logits and one-hot labels, as Hui and Belkin; they rescale for more "
        "than 42 classes.",
    ),
    ("loss", "binary_cross_entropy"): (
        KEPT,
        "torch's BCEWithLogitsLoss, mean over images and classes. Its gradient is a C-th of the "
        "sum's: with C classes a rate that suits cross-entropy is low.",
    ),
    ("loss", "hinge"): (KEPT, "torch's MultiMarginLoss, p 1 and margin 1."),
    ("mixing", "none"): (KEPT, "The same bits go on."),
    ("mixing", "mixup"): (
        KEPT,
        "Shares Beta(0.2, 0.2), one an image as the paper's equation; its program draws one a "
        "batch. Partners are neighbours of a shuffled batch (torchvision does so), a permutation "
        "there.",
    ),
    ("mixing", "cutmix"): (
        KEPT,
        "The authors' rectangles (areas compared by a test), one an image; one a batch there. All "
        "images; their CIFAR command mixes half of the batches.",
    ),
    ("clipping", "none"): (KEPT, "The same bits go on."),
    ("clipping", "norm"): (KEPT, "torch's clip_grad_norm_; 1.0 is what is written most often."),
    ("clipping", "value"): (KEPT, "torch's clip_grad_value_; 0.5 is Keras's example."),
    ("averaging", "none"): (KEPT, "The last weights."),
    ("averaging", "ema"): (
        KEPT,
        "Corrected for its start as Adam's means are; torch's AveragedModel starts at the first "
        "weights, which at 0.999 are half of the mean after 700 steps. Batch norms measured anew; "
        "others average their statistics too.",
    ),
    ("averaging", "swa"): (
        KEPT,
        "torch's AveragedModel and update_bn after each epoch from three quarters on. No rate of "
        "its own (SWALR): `scheduler` is a factor.",
    ),
    ("warmup", "none"): (KEPT, "The scheduler's rates."),
    ("warmup", "linear"): (
        KEPT,
        "A factor on the scheduler's rate, which goes on meanwhile, as in Goyal et al.; a chain "
        "of torch's LinearLR and another scheduler delays the other.",
    ),
}
"""Factor and level to whether it was left or changed, and why."""


def table() -> str:
    """One row a level; what nobody has compared yet says so."""
    lines = [
        "| factor | level | found | against torch, torchvision, the papers |",
        "|---|---|---|---|",
    ]
    for factor in (*registry.FACTORS, *registry.OPTIONAL):
        for name in shipped(factor):
            verdict, why = FOUND.get((factor, name), ("not compared", ""))
            lines.append(f"| {factor} | {name} | {verdict} | {why} |")
    return "\n".join(lines)
