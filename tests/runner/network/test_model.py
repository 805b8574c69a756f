"""VGG's published shape, the bias rule, and weights that pair the cells of a replicate."""

from pathlib import Path

import pytest
import torch
from torch import nn

from ablations import registry
from ablations.errors import InputError
from runner.network.model import VGG, build, convolution_block, halve, trainable_weights
from tests.runner.cells import make_cell


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [m for m in network.modules() if isinstance(m, nn.Conv2d)]


@pytest.mark.parametrize(
    ("depth", "expected"),
    [(11, 9_231_114), (13, 9_416_010), (16, 14_728_266), (19, 20_040_522)],
)
def test_full_width_has_the_cifar_literatures_number_of_weights(depth, expected):
    """With batch norm after a biased convolution, as those counts are usually given.

    By hand for depth 11: convolutions 9,217,728 weights and 2,752 biases, norms 2 x 2,752,
    classifier 5,130.
    """
    with torch.device("meta"):
        block = convolution_block(make_cell(bn_placement="after"))
        network = VGG(10, block, make_cell(model={"depth": depth, "width": 1.0}).model)
    assert trainable_weights(network) == expected
    assert len(convolutions(network)) == depth - 3  # one linear layer instead of three


def test_width_multiplies_every_channel_count():
    network = build(make_cell(model={"width": 0.125}), classes=7)
    assert [c.out_channels for c in convolutions(network)] == [8, 16, 32, 32, 64, 64, 64, 64]
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_larger_images_are_accepted():
    network = build(make_cell(), classes=4)
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 4)


@pytest.mark.parametrize(
    ("placement", "biased"), [("none", True), ("before", False), ("after", True)]
)
def test_a_convolution_directly_before_a_norm_has_no_bias(placement, biased):
    network = build(make_cell(bn_placement=placement), classes=10)
    assert all((c.bias is not None) == biased for c in convolutions(network))


def test_cells_that_share_seeds_start_from_the_same_weights_whatever_the_norm():
    shared = [make_cell(bn_placement=p, seeds="shared") for p in ("none", "before", "after")]
    placed = [build(cell, 10) for cell in shared]
    for layers in zip(*map(convolutions, placed), strict=True):
        assert torch.equal(layers[0].weight, layers[1].weight)
        assert torch.equal(layers[0].weight, layers[2].weight)
    other = build(make_cell(replicate=1, seeds="shared"), 10)
    assert not torch.equal(convolutions(other)[0].weight, convolutions(placed[1])[0].weight)


def test_cells_with_seeds_of_their_own_start_from_other_weights():
    first, again, other = (
        convolutions(build(make_cell(scheduler=s), 10))[0].weight
        for s in ("constant", "constant", "cosine")
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_building_leaves_torchs_own_generator_alone():
    torch.manual_seed(9)
    state = torch.get_rng_state()
    build(make_cell(), 10)
    assert torch.equal(torch.get_rng_state(), state)


def test_dropout_reaches_the_classifier():
    network = build(make_cell(model={"dropout": 0.5}), 10)
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.5]


def test_a_plugins_model_gets_classes_block_and_parameters():
    @registry.model("two_blocks")
    def two_blocks(classes: int, block, *, channels: int = 4) -> nn.Module:
        """Two blocks and a classifier."""
        return nn.Sequential(
            block(3, channels),
            block(channels, channels, stride=2),
            nn.Flatten(),
            nn.Linear(channels * 256, classes),
        )

    cell = make_cell(model={"name": "two_blocks", "parameters": {"channels": 6}})
    network = build(cell, 5)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 5)
    assert [c.out_channels for c in convolutions(network)] == [6, 6]
    assert torch.equal(network[3].weight, build(cell, 5)[3].weight)


def test_a_plugin_that_returns_no_module_is_told_so():
    @registry.model("number")
    def number(classes: int, block) -> int:
        """No module."""
        return classes

    with pytest.raises(InputError, match=r"'number' returned int; expected a torch\.nn\.Module"):
        build(make_cell(model={"name": "number"}), 10)


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(InputError, match="resnet"):
        build(make_cell(model={"name": "resnet"}), 10)


@pytest.mark.parametrize("last", [nn.ReLU(), nn.BatchNorm2d(4)], ids=["relu", "norm"])
def test_a_halved_block_computes_what_pooling_after_it_would(last: nn.Module) -> None:
    """Bit by bit, forward and backward: the order of maximum and ReLU must not show."""
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 4, 3), last).eval()
    images = torch.randn(8, 3, 10, 10).round(decimals=1)  # ties, and windows below zero
    halved = halve(block)
    gradients = []
    for network in (nn.Sequential(block, nn.MaxPool2d(2)), halved):
        block.zero_grad()
        out = network(images)
        out.square().sum().backward()
        gradients.append((out, block[0].weight.grad.clone(), block[0].bias.grad.clone()))
    for one, other in zip(*gradients, strict=True):
        assert torch.equal(one, other)


def test_a_halved_block_trains_to_the_same_bits_in_bf16_and_channels_last() -> None:
    """As cells are trained: batch norm in training, ReLU in place; bf16 makes most of the ties."""
    torch.manual_seed(0)
    blocks = nn.Sequential(
        *(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            )
            for inputs, outputs in ((3, 16), (16, 32))
        )
    ).to(memory_format=torch.channels_last)
    images = torch.randn(16, 3, 16, 16).to(memory_format=torch.channels_last)
    state = {name: value.clone() for name, value in blocks.state_dict().items()}
    found = []
    for shape in (lambda block: nn.Sequential(block, nn.MaxPool2d(2)), halve):
        blocks.load_state_dict(state)
        blocks.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = nn.Sequential(*map(shape, blocks))(images)
        assert out.dtype is torch.bfloat16
        out.float().square().sum().backward()
        found.append([out, *(p.grad.clone() for p in blocks.parameters()), *blocks.buffers()])
        found[-1] = [value.detach().clone() for value in found[-1]]
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
    # The case that matters is there: windows whose greatest value is there twice.
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        normed = blocks[0][1](blocks[0][0](images))
    windows = normed.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    assert ((windows == windows.amax(4, keepdim=True)).sum(4) > 1).any()


REFUSING = """
from ablations.registry import level, model

@level("bn_placement")
def picky(channels, *, most: int = 2):
    if channels > most:
        raise ValueError(f"{channels} channels are too many")
    return []

@model()
def unwilling(classes, block, *, kind: str = "a"):
    if kind == "boom":
        raise ValueError("no kind of mine")
    return block(3, 4)
"""


def test_who_refuses_a_network_is_named(tmp_path: Path) -> None:
    """A plugin's model is not blamed on a level, nor a level that it calls on the model."""
    plugin = tmp_path / "refusing.py"
    plugin.write_text(REFUSING)
    registry.load_plugins([str(plugin)])
    model = {"name": "unwilling", "parameters": {"kind": "boom"}}
    with pytest.raises(InputError) as refused:
        build(make_cell(model=model), 10)
    assert str(refused.value) == (f"model 'unwilling': ValueError: no kind of mine ({plugin}:13)")
    with pytest.raises(InputError, match=r"^bn_placement: a level refused.*4 channels are"):
        build(make_cell(bn_placement="picky", model={"name": "unwilling"}), 10)
