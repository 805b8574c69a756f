"""The cases, their sources, and what is published of them.

What DeepFD, UMLAUT, AutoTrainer and DeepLocalize said of the questions of Stack Overflow is read
from `Benchmark/Evaluation.xlsx`, sheet Diagnosis, of github.com/ArabelaTso/DeepFD at 9fe0895 (Cao
et al. 2022, DeepFD: automated fault diagnosis and localization for deep learning programs, ICSE),
with that sheet's own verdict of what is a right diagnosis. What is wrong in them is from its sheet
of patches and the programs in github.com/Wardat-ISU/DeepLocalize at 297bc34; the data of 48221692
are not there, and are a line of our own. AutoTrainer's example and its logs are in its repository
(at 04f4033 with the logs). All four are for Keras; of the other cases, PyTorch programs, we found
nothing that they said.
"""

from __future__ import annotations

from tests.benchmarks.doctor.published.case import Case, Said

_DEEPFD = "Stack Overflow {}, in the benchmark of DeepFD (Cao et al. 2022)"
_QUESTION = "https://stackoverflow.com/questions/{}"
_GITHUB = "https://github.com/{}"


def _question(
    make: str, number: int, fault: str, right: tuple[str, ...], **said: tuple[str, bool]
) -> Case:
    told = {tool: Said(*words) for tool, words in said.items()}
    return Case(
        f"regressions:{make}", _DEEPFD.format(number), _QUESTION.format(number), fault, right, told
    )


CASES = (
    _question(
        "sigmoid_output", 48221692,
        "A regression ends in a sigmoid, its targets lie above 1.", ("wrong_activation",),
        DeepFD=("learning rate", False),
        UMLAUT=("inputs exceed limits; softmax missing; activations missing; last layer nonlinear",
                True),
        AutoTrainer=("nothing", False),
        DeepLocalize=("model does not learn", False),
    ),
    _question(
        "rate_of_a_tenth", 48934338,
        "SGD at 0.1 on targets up to 120.", ("learning_rate_too_high",),
        DeepFD=("learning rate", True),
        UMLAUT=("inputs exceed limits; learning rate high; overfitting; softmax missing", True),
        AutoTrainer=("nothing", False),
        DeepLocalize=("layer 1", False),
    ),
    _question(
        "rate_of_a_thousandth", 51181393,
        "RMSprop at 0.001 has to move one weight by 4.", ("learning_rate_too_low",),
        DeepFD=("learning rate", True),
        UMLAUT=("inputs exceed limits; softmax missing", False),
        AutoTrainer=("nothing", False),
        DeepLocalize=("model does not learn", False),
    ),
    _question(
        "nothing_scaled", 52800582,
        "Inputs up to 100 and targets up to 1e8 are not scaled.", ("no_normalisation",),
        DeepFD=("optimizer, learning rate, activation, loss", False),
        UMLAUT=("inputs exceed limits; overfitting; softmax missing; activations missing", True),
        AutoTrainer=("nothing", False),
        DeepLocalize=("layer 4", False),
    ),
    Case(
        "classifiers:circle_of_sigmoids",
        "AutoTrainer (Zhang et al. 2021, ICSE), demo_case/Gradient_Vanish_Case",
        _GITHUB.format("shiningrain/AUTOTRAINER"),
        "Eight hidden layers of five sigmoids.", ("wrong_activation", "vanishing_gradient"),
        {"AutoTrainer": Said("gradients vanish; mended by SELU, 50 to 85 % right", True)},
    ),
    Case(
        "regressions:shapes_that_broadcast", "FARM, issue 229",
        _GITHUB.format("deepset-ai/FARM/issues/229"),
        "Outputs (N,) against labels (N, 1): the loss compares all pairs.",
        ("wrong_loss", "wrong_output_layer"),
    ),
    Case(
        "loops:gradients_kept", "IBM aihwkit, issue 446",
        _GITHUB.format("IBM/aihwkit/issues/446"),
        "zero_grad() is never called.", ("missing_zero_grad",),
    ),
    Case(
        "loops:eval_left_on", "pytorch-fcn, issue 57",
        _GITHUB.format("wkentaro/pytorch-fcn/issues/57"),
        "Validation within an epoch leaves the model in eval mode.", ("eval_mode_in_training",),
    ),
    Case(
        "loops:schedule_each_batch", "SRGAN-PyTorch, issue 1",
        _GITHUB.format("Lornatang/SRGAN-PyTorch/issues/1"),
        "A schedule that counts epochs is stepped each batch.", ("schedule_wrong",),
    ),
    Case(
        "classifiers:sensors_two_softmaxes", "Deep-learning-activity-recognition, issue 10",
        _GITHUB.format("jindongwang/Deep-learning-activity-recognition/issues/10"),
        "A softmax, then CrossEntropyLoss.", ("softmax_before_cross_entropy",),
    ),
    Case(
        "classifiers:labels_shuffled_alone", "GaNDLF, pull request 870",
        _GITHUB.format("mlcommons/GaNDLF/pull/870"),
        "Inputs and labels are shuffled separately.", ("labels_wrong",),
    ),
    Case(
        "text:embeddings_grown_too_late", "Hugging Face Transformers, pull request 3519",
        _GITHUB.format("huggingface/transformers/pull/3519"),
        "Embeddings are replaced by larger ones after the optimizer was made.",
        ("frozen_layers", "optimizer_without_parameters"),
    ),
)  # fmt: skip
"""In the order of the table."""
