"""The compiled batch norm against torch's modules, in sequence and in float64."""

from __future__ import annotations

import copy
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from runner.network import fused_norm, kernels
from runner.network.fused_norm import FusedNorm
from runner.network.model import build
from tests.runner.cells import make_cell

WAYS = list(product([False, True], repeat=2))
SHAPES = {(8, 6, 10, 12): "even", (16, 32, 4, 4): "square", (128, 1, 2, 2): "one channel"}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def modules(channels: int, *, pool: bool, relu: bool) -> list[nn.Module]:
    """Batch norm with weights of both signs, and what follows."""
    norm = nn.BatchNorm2d(channels, momentum=0.3)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(1.5, -0.5, channels))
        norm.bias.copy_(torch.linspace(-0.3, 0.4, channels))
    return [norm, *[nn.MaxPool2d(2)] * pool, *[nn.ReLU()] * relu]


def images(shape: tuple[int, ...], kind: torch.dtype) -> Tensor:
    """Channels last, exact in bfloat16; no two values of a window are equal."""
    values = (torch.randn(shape, dtype=torch.float64).clamp(-3, 3) * 4).round() / 4 + 0.5
    places = torch.tensor([[0, 1], [2, 3]]).repeat(shape[2] // 2 + 1, shape[3] // 2 + 1)
    values += places[: shape[2], : shape[3]] / 16
    return values.to(kind).contiguous(memory_format=torch.channels_last)


def passed(network: nn.Module, x: Tensor, weigh: Tensor) -> dict[str, Tensor]:
    """Everything a training step sees: output, gradients, running statistics."""
    x = x.clone().requires_grad_()
    out = network(x)
    (out * weigh.to(out.dtype)).sum().backward()
    assert x.grad is not None
    norm = network[0]
    return {
        "out": out.detach(), "images": x.grad, "weight": norm.weight.grad, "bias": norm.bias.grad,
        "mean": norm.running_mean, "variance": norm.running_var,
    }  # fmt: skip


def three_ways(
    shape: tuple[int, ...], kind: torch.dtype, *, pool: bool, relu: bool
) -> tuple[dict[str, Tensor], ...]:
    """Fused, torch's modules in sequence, and those in float64."""
    torch.manual_seed(0)
    x = images(shape, kind)
    layers = modules(shape[1], pool=pool, relu=relu)
    weigh = torch.randn(nn.Sequential(*layers).eval()(x.float()).shape, dtype=torch.float64)
    weigh = weigh.to(kind)
    layers[0].train()
    plain, fused = nn.Sequential(*copy.deepcopy(layers)), FusedNorm(*copy.deepcopy(layers))
    exact = nn.Sequential(*copy.deepcopy(layers)).double()
    return passed(fused, x, weigh), passed(plain, x, weigh), passed(exact, x.double(), weigh)


def error(found: Tensor, exact: Tensor) -> float:
    """Size of the error in terms of the size of what is right."""
    return float((found.double() - exact).norm() / exact.norm())


@pytest.mark.parametrize(("pool", "relu"), WAYS)
@pytest.mark.parametrize("shape", SHAPES, ids=SHAPES.values())
def test_in_float32_it_is_the_modules_up_to_rounding(shape, pool, relu) -> None:
    fused, plain, exact = three_ways(shape, torch.float32, pool=pool, relu=relu)
    for name, right in exact.items():
        assert error(fused[name], right) < 1e-4, name
        torch.testing.assert_close(fused[name], plain[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("pool", "relu"), WAYS)
@pytest.mark.parametrize("shape", SHAPES, ids=SHAPES.values())
def test_in_bfloat16_it_is_no_further_from_the_truth_than_torch(shape, pool, relu) -> None:
    """Where torch rounds between its modules the kernel does not, so it may only be closer."""
    fused, plain, exact = three_ways(shape, torch.bfloat16, pool=pool, relu=relu)
    assert fused["out"].dtype == fused["images"].dtype == torch.bfloat16
    torch.testing.assert_close(fused["out"], plain["out"], rtol=2**-7, atol=2**-7)
    for name, right in exact.items():
        assert error(fused[name], right) < 1.1 * error(plain[name], right) + 1e-5, name


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_of_equal_values_one_gets_the_gradient(kind) -> None:
    """The rest of batch norm's gradient is the same for equal values, so differences show it."""
    torch.manual_seed(0)
    for equal, winner in (([0, 1, 2, 3], 0), ([1, 2], 2), ([1, 3], 1), ([2, 3], 2)):
        window = torch.zeros(4)
        window[equal] = 1.0
        shift = torch.randn(4, 3, 5, 6).round() * 4  # another level in every window
        x = (shift[..., None] + window).reshape(4, 3, 5, 6, 2, 2).transpose(3, 4)
        x = x.reshape(4, 3, 10, 12).to(kind).contiguous(memory_format=torch.channels_last)
        norm = nn.BatchNorm2d(3)
        FusedNorm(norm, nn.MaxPool2d(2))(x.requires_grad_()).sum().backward()
        assert x.grad is not None
        found = x.grad.reshape(4, 3, 5, 2, 6, 2).transpose(3, 4).reshape(4, 3, 5, 6, 4).float()
        scale = torch.rsqrt(x.detach().float().var((0, 2, 3), correction=0) + norm.eps)
        for other in set(equal) - {winner}:
            received = found[..., winner] - found[..., other]
            expected = scale[:, None, None].expand_as(received)
            torch.testing.assert_close(received, expected, rtol=0.02, atol=1e-3)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("pool", "relu"), WAYS)
def test_evaluation_uses_the_running_statistics_and_lets_nan_through(kind, pool, relu) -> None:
    torch.manual_seed(0)
    layers = modules(6, pool=pool, relu=relu)
    layers[0].running_mean.uniform_(-1, 1)
    layers[0].running_var.uniform_(0.5, 2)
    x = images((4, 6, 8, 8), kind)
    for at, value in enumerate([float("nan"), float("inf"), -float("inf")]):
        x[0, :, at, 2 * at] = value
        x[1, at, 2 * at, at + 1] = value
    fused, plain = FusedNorm(*layers).eval(), nn.Sequential(*layers).eval()
    with torch.no_grad():
        torch.testing.assert_close(fused(x), plain(x), rtol=2**-7, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_value_that_is_not_finite_spoils_its_channel(kind) -> None:
    for value in (float("nan"), float("inf")):
        fused = FusedNorm(*modules(3, pool=True, relu=True))
        x = images((4, 3, 8, 8), kind)
        x[1, 2, 3, 4] = value
        out = fused(x.requires_grad_())
        assert out[:, 2].isnan().all()
        assert out[:, :2].isfinite().all()


def test_compiled_kernels_do_the_work_of_a_cell(monkeypatch) -> None:
    """Or every other test of this file compares torch with itself."""

    def refused(*_: object) -> None:
        raise ArithmeticError("compiled")

    monkeypatch.setattr(kernels, "statistics", refused)
    x = images((4, 3, 8, 8), torch.bfloat16)
    for pool, relu in WAYS:
        with pytest.raises(ArithmeticError):
            FusedNorm(*modules(3, pool=pool, relu=relu))(x)
    with pytest.raises(ArithmeticError), torch.autocast("cpu", torch.bfloat16):
        build(make_cell(bn_placement="after"), 10).to(memory_format=torch.channels_last)(
            torch.zeros(2, 3, 32, 32).to(memory_format=torch.channels_last)
        )


def test_elsewhere_the_modules_are_called(monkeypatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("compiled kernels do not apply here")

    for name in ("statistics", "forward", "backward"):
        monkeypatch.setattr(kernels, name, never)
    x = images((4, 3, 8, 8), torch.float32)
    fused = FusedNorm(*modules(3, pool=True, relu=True))
    plain = nn.Sequential(*copy.deepcopy(list(fused)))

    def same(images: Tensor) -> None:
        assert torch.equal(fused(images), plain(images))

    same(x.contiguous())
    same(x[..., :7].contiguous(memory_format=torch.channels_last))
    with torch.no_grad():
        same(x)  # training without gradients
    torch.set_num_threads(2)
    same(x)
    torch.set_num_threads(1)
    fused.eval(), plain.eval()
    same(x)  # evaluation with gradients
    fused.double(), plain.double()
    same(x.double())


def test_one_value_a_channel_is_refused_as_torch_refuses_it() -> None:
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        FusedNorm(*modules(3, pool=False, relu=True))(images((1, 3, 1, 1), torch.float32))


@pytest.mark.parametrize("placement", ["before", "after"])
def test_a_network_of_fused_norms_is_that_of_float64(placement) -> None:
    """In float64 torch's own modules run: the whole network agrees, to what float32 rounds."""
    torch.manual_seed(0)
    network = build(make_cell(bn_placement=placement), 10).to(memory_format=torch.channels_last)
    fused = sum(isinstance(module, FusedNorm) for module in network.modules())
    assert fused == 8
    exact = copy.deepcopy(network).double()
    x = torch.randn(32, 3, 32, 32).to(memory_format=torch.channels_last)
    network(x).square().mean().backward()
    exact(x.double()).square().mean().backward()
    for one, other in zip(network.parameters(), exact.parameters(), strict=True):
        assert error(one.grad, other.grad) < 1e-3


def test_warming_compiles_what_a_cell_calls(monkeypatch) -> None:
    fused_norm.warm()
    compiled = [kernels.statistics, kernels.forward, kernels.backward]
    known = [len(one.signatures) for one in compiled]
    for kind in (torch.float32, torch.bfloat16):
        fused = FusedNorm(*modules(6, pool=True, relu=True))
        fused(images((4, 6, 8, 8), kind).requires_grad_()).sum().backward()
    assert [len(one.signatures) for one in compiled] == known == [2, 2, 2]


@pytest.mark.parametrize(("pool", "relu"), WAYS)
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_compiled_kernels_do_what_their_source_says(kind, pool, relu) -> None:
    """Interpreted, on a few numbers: the compiler may fuse operations and nothing else."""
    torch.manual_seed(0)
    bits = fused_norm.BITS[kind]
    x = torch.randn(4, 8).to(kind)
    out = torch.zeros(2, 4, dtype=kind) if pool else torch.zeros(4, 8, dtype=kind)
    gradient = torch.randn(out.shape).to(kind)
    scale, shift = torch.tensor([0.5, -1.5]).numpy(), torch.tensor([0.1, -0.2]).numpy()
    found = []
    for version in (lambda kernel: kernel, lambda kernel: kernel.py_func):
        into, given = torch.zeros_like(x), out.clone()
        seen, written, received, back = (
            part.view(bits).numpy() for part in (x, given, gradient, into)
        )
        mean, variance = version(kernels.statistics)(seen, 2)
        version(kernels.forward)(seen, written, scale, shift, pool, relu)
        unit = (1 / (variance + 1e-5) ** 0.5).astype("float32")
        ends = version(kernels.backward)(
            seen, written, received, back, scale, mean, unit, pool, relu
        )
        found.append([mean, variance, given.float().numpy(), into.float().numpy(), *ends])
    for compiled, interpreted in zip(*found, strict=True):
        assert compiled == pytest.approx(interpreted, rel=2**-7, abs=1e-4)
    assert all(abs(part).sum() > 0 for part in found[0])
