"""The whole training step recorded once and replayed: on CUDA one launch instead of hundreds.

`captured` returns a step that leaves the learner exactly where eager steps would, or the eager step
itself where recording is impossible or cannot be trusted, with the reason. A small network's step
is bound by launches, not by arithmetic; recording takes four steps' time and compiles nothing, so a
recorded step need not be kept for the next cell. The logic knows no CUDA but in `_record_cuda`; on
the CPU it is tested with a recorder that just calls the step.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ablations import registry
from runner.content.cell import Cell
from runner.training.parts.learner import Learner
from runner.training.step import Step

log = logging.getLogger(__name__)

Thunk = Callable[[], None]
Recorder = Callable[[Thunk, Learner], Thunk]

REHEARSALS = 3
"""Steps taken before recording: kernels are chosen and optimizer states made in the first ones."""

# An optimizer makes its states in its first step, and the recording must refer to them: rehearsals
# make them, and are undone by zeroing. That is no change only where zeros mean "no step yet".
ZERO_START = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop)
"""Optimizers for which a state of zeros is the same as no state yet."""


class NotCapturable(Exception):
    """Why a step is better taken eagerly."""


@dataclass(frozen=True, slots=True)
class CapturedStep:
    """Calling it with the indices of a batch replays the recorded step on that batch."""

    replay: Thunk
    index: Tensor  # the recorded step reads its batch here
    rate: Tensor  # and its learning rate here
    learner: Learner

    def __call__(self, index: Tensor) -> None:
        """Take one step on the batch of `index`; waits for nothing."""
        self.index.copy_(index)
        self.rate.fill_(self.learner.optimizer.param_groups[0]["lr"])
        self.replay()


def captured(
    step: Step, cell: Cell, batch: int, record: Recorder | None = None
) -> tuple[Callable[[Tensor], None], str | None]:
    """A recorded step and None, or the eager step and why it is eager.

    Args:
        step: the eager step; its learner is as it was when this returns.
        cell: what is trained; only the levels this project ships are recorded, because code that
            decides something on the host would be frozen as it was decided once.
        batch: images in every step; indices of a batch are int64 [batch].
        record: turns a step into its replay; by default CUDA's recorder on CUDA, none elsewhere.

    Returns:
        The step, and a line for the outcome's notes where a CUDA device steps eagerly.
    """
    if record is None:
        if not step.images.is_cuda:
            return step, None
        record = _record_cuda
    try:
        _refuse_what_recording_would_freeze(cell, step.learner)
        return _recorded(step, batch, record), None
    # Whatever recording trips over, eager steps are right; the state is put back before this.
    except (NotCapturable, RuntimeError, AssertionError) as error:
        if isinstance(error, torch.cuda.OutOfMemoryError):
            raise
        why = (str(error) or type(error).__name__).splitlines()[0]
        log.warning("the training step of cell %s is not captured: %s", cell.id, why)
        return step, f"step not captured, run eagerly: {why}"


def _refuse_what_recording_would_freeze(cell: Cell, learner: Learner) -> None:
    """Refuse code of others: a recording repeats kernels, not the Python that chose them."""
    for level in (*cell.levels, *cell.held):
        if not level.is_field and not registry.is_built_in(level.factor, level.name):
            raise NotCapturable(f"{level.factor} {level.name!r} comes from a plugin")
    if cell.model.name != "vgg":
        raise NotCapturable(f"model {cell.model.name!r} comes from a plugin")
    if type(learner.optimizer) not in ZERO_START:
        raise NotCapturable(f"unknown state of {type(learner.optimizer).__name__}")


def _recorded(step: Step, batch: int, record: Recorder) -> CapturedStep:
    device, optimizer = step.images.device, step.learner.optimizer
    index = torch.zeros(batch, dtype=torch.int64, device=device)
    # Fused CUDA kernels read the rate as float32; elsewhere it keeps the scheduler's precision.
    precision = torch.float32 if device.type == "cuda" else torch.float64
    rate = torch.tensor(optimizer.param_groups[0]["lr"], dtype=precision, device=device)
    with _rates_from(rate, optimizer):
        put_back = _snapshot(step.learner, step.tally)
        try:
            _rehearse(step, index)
            # Before recording, not after: a CUDA graph records without computing, so the learner
            # stays as it is put back here, and the generator's offset is where replays start from.
            put_back()
            replay = record(lambda: step(index), step.learner)
        except BaseException:
            put_back()
            raise
    return CapturedStep(replay, index, rate, step.learner)


@contextmanager
def _rates_from(rate: Tensor, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Within the block the optimizer reads its learning rate from a tensor on the device.

    Outside it stays a number: schedulers and checkpoints see what they see without recording.
    """
    before = [dict(group) for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = rate  # a number would be recorded as it is now, whatever the scheduler does
        if rate.is_cuda and "capturable" in group:
            group["capturable"] = True
    for parameter, state in optimizer.state.items():
        for name, value in state.items():  # restored from a checkpoint, steps are on the host
            if isinstance(value, Tensor):
                state[name] = value.to(parameter.device)
    try:
        yield
    finally:
        for group, old in zip(optimizer.param_groups, before, strict=True):
            group["lr"] = old["lr"]
            if "capturable" in old:
                group["capturable"] = old["capturable"]


def _snapshot(learner: Learner, tally: Tensor) -> Thunk:
    """A function that undoes, in place, whatever steps taken from now on change.

    In place, because the recording will refer to these very tensors; states an optimizer makes
    meanwhile are zeroed rather than removed, for the same reason.
    """
    weights = learner.network.state_dict()  # the tensors themselves
    saved = {name: value.clone() for name, value in weights.items()}
    states = {
        (parameter, name): value.clone()
        for parameter, state in learner.optimizer.state.items()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }
    counts = tally.clone()
    draws = [(one, one.get_state()) for one in learner.drawing_on_the_device]
    default = torch.get_rng_state()
    cuda = torch.cuda.get_rng_state(tally.device) if tally.is_cuda else None

    def put_back() -> None:
        with torch.no_grad():
            for name, value in weights.items():
                value.copy_(saved[name])
            for parameter, state in learner.optimizer.state.items():
                for name, value in state.items():
                    if isinstance(value, Tensor):
                        old = states.get((parameter, name))
                        value.zero_() if old is None else value.copy_(old)
            tally.copy_(counts)
        # None, so that the recorded backward pass makes gradients in the graph's own memory.
        learner.optimizer.zero_grad(set_to_none=True)
        for draw, state in draws:
            draw.set_state(state)
        torch.set_rng_state(default)
        if cuda is not None:
            torch.cuda.set_rng_state(cuda, tally.device)

    return put_back


def _rehearse(step: Step, index: Tensor) -> None:
    """Steps on the side, as CUDA asks for before recording."""
    with warnings.catch_warnings():
        # Optimizers warn of capturable=True outside a recording; here that is the point.
        warnings.filterwarnings("ignore", message=".*capturable=True.*")
        if not index.is_cuda:
            for _ in range(REHEARSALS):
                step(index)
            return
        # On a stream of its own: what a library sets up on first use must not be tied to the
        # default stream, whose work cannot be recorded (PyTorch's notes on CUDA graphs).
        side = torch.cuda.Stream(index.device)  # type: ignore[no-untyped-call]  # torch's
        side.wait_stream(torch.cuda.current_stream(index.device))
        with torch.cuda.stream(side):
            for _ in range(REHEARSALS):
                step(index)
        torch.cuda.current_stream(index.device).wait_stream(side)


def _record_cuda(thunk: Thunk, learner: Learner) -> Thunk:
    """Record into a CUDA graph; what draws, draws on from its generator at every replay."""
    graph = torch.cuda.CUDAGraph()
    for draw in learner.drawing_on_the_device:
        graph.register_generator_state(draw)
    # Other threads of the process (its heart beat) may go on meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        thunk()
    replay: Thunk = graph.replay
    return replay
