"""The closed list of causes: what each is called, what shows it, where that is known from.

`shown_by` holds the thresholds of a diagnosis that runs repairs, which must help by what `judging`
asks. Cells of a grid are told apart by what they left, by the thresholds beside the rules of
`runner.doctor.cells`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One cause.

    Attributes:
        name: as `--json` gives it.
        title: as a sentence begins with it.
        shown_by: the evidence, and its threshold.
        source: where the rule is from.
    """

    name: str
    title: str
    shown_by: str
    source: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("learning_rate_too_high", "The learning rate is too high",
             "a tenth or a hundredth of it learns clearly more in the same steps",
             "Smith 2017, Cyclical learning rates, section 3.3"),
        Kind("learning_rate_too_low", "The learning rate is too low",
             "ten, a hundred or a thousand times it learns clearly more in the same steps",
             "Smith 2017, Cyclical learning rates, section 3.3"),
        Kind("schedule_wrong", "The learning rate falls too soon",
             "within the first tenth of the planned steps it falls below 1 % of its largest, and "
             "a constant rate learns clearly more",
             "PyTorch, torch.optim: schedulers step once an epoch or once a batch, as each says"),
        Kind("missing_zero_grad", "Gradients are never cleared",
             "more than a fifth of a gradient was there before the step's backward passes",
             "PyTorch, Optimizer.zero_grad"),
        Kind("wrong_loss", "The loss does not ask for the right class",
             "its values on drawn outputs are those of another known loss, and cross-entropy "
             "learns clearly more",
             "Goodfellow, Bengio and Courville 2016, Deep Learning, section 6.2.2"),
        Kind("softmax_before_cross_entropy", "A softmax is taken twice",
             "rows of the outputs sum to one, and the loss is PyTorch's cross-entropy",
             "PyTorch, CrossEntropyLoss: the input is expected to contain unnormalised logits"),
        Kind("wrong_activation", "An activation is wrong or missing",
             "an activation on the outputs under a cross-entropy; or saturating or missing hidden "
             "activations, and rectifiers in their place learn clearly more",
             "Glorot and Bengio 2010; Glorot, Bordes and Bengio 2011"),
        Kind("wrong_output_layer", "The output layer does not fit the labels",
             "labels that no output stands for, or one output for several classes",
             "PyTorch, CrossEntropyLoss: class indices in [0, C)"),
        Kind("wrong_optimizer", "The optimizer holds the training back",
             "no learning rate of its own learns as much as Adam at 0.001 or SGD with momentum",
             "Kingma and Ba 2015, Adam"),
        Kind("no_normalisation", "The inputs are not normalised",
             "inputs larger than 10, or of a deviation above 5 or below 0.02, or columns whose "
             "deviations differ a hundredfold, and standardised inputs learn clearly more",
             "LeCun, Bottou, Orr and Müller 1998, Efficient backprop, section 4.3"),
        Kind("preprocessing_mismatch", "Training and validation inputs are prepared differently",
             "means or deviations differ by more than half, and the validation inputs brought to "
             "those of training are classified clearly better",
             "PyTorch examples: one Normalize for both"),
        Kind("no_norm_layers", "Nothing keeps the signal at its size through the depth",
             "no normalising layer in a network that does not learn, and batch norm after every "
             "weighted layer makes it learn",
             "Ioffe and Szegedy 2015, Batch normalization"),
        Kind("norm_statistics_wrong", "Batch norm's running statistics are wrong",
             "the same weights are clearly better with the statistics of the batch, after enough "
             "steps for the running ones to have followed, or a momentum outside 0.01 to 0.5",
             "Wu and Johnson 2021, Rethinking batch in BatchNorm, section 3"),
        Kind("wrong_init", "The weights begin at the wrong size",
             "the deviation of a layer's weights is 3 times, or a third, of what its own "
             "reset_parameters draws, or all are equal, and drawing them so learns clearly more",
             "He, Zhang, Ren and Sun 2015, Delving deep into rectifiers, section 2.2"),
        Kind("vanishing_gradient", "The gradient does not arrive at the first layers",
             "gradient by weight of the first layer below 1/1000 of the last hidden one's, in a "
             "network that does not learn; nothing more exact is known",
             "Glorot and Bengio 2010"),
        Kind("exploding_gradient", "The gradient grows without limit",
             "loss or weights are no longer finite; nothing more exact is known",
             "Pascanu, Mikolov and Bengio 2013"),
        Kind("dead_relu", "Most rectifiers never fire",
             "more than 70 % of a layer's units are zero for every example, in a network that "
             "does not learn; nothing more exact is known",
             "Lu, Shin, Su and Karniadakis 2020, Dying ReLU and initialization"),
        Kind("frozen_layers", "Some weights are not trained",
             "weights that the optimizer does not hold, no gradient reaches, or that ask for none",
             "PyTorch, Optimizer.add_param_group"),
        Kind("optimizer_without_parameters", "The optimizer does not hold the model's weights",
             "none of the model's weights is in its groups",
             "PyTorch, torch.optim: move a model before constructing optimizers for it"),
        Kind("weights_not_updated", "No step changes the weights",
             "the weights are bit for bit the same after the first steps",
             "PyTorch, Optimizer.step"),
        Kind("labels_wrong", "The labels do not belong to the inputs",
             "a linear classifier finds the labels of the validation data in their inputs and "
             "those of the training data not, or not the same ones; or one label only, a label "
             "that is missing, the same input under two labels",
             "Northcutt, Jiang and Chuang 2021, Confident learning"),
        Kind("too_few_epochs", "The training ends too soon",
             "all planned steps were run, the loss was still falling, and as many again learn "
             "clearly more",
             "Hoffer, Hubara and Soudry 2017, Train longer, generalize better"),
        Kind("batch_too_small_or_large", "The batch size does not suit the training",
             "batches of at most 4, or of a quarter of the data, and batches of 32 of the same "
             "data learn clearly more",
             "Masters and Luschi 2018, Revisiting small batch training"),
        Kind("too_strong_regularisation", "The regularisation is too strong",
             "dropout of half or more, or decay that shrinks weights by over 5 % in 100 steps, "
             "and without it the network learns clearly more; of a cell that ended: weights shrunk "
             "to below a fifth, or validation clearly better than training with dropout",
             "Srivastava et al. 2014, Dropout; Loshchilov and Hutter 2019"),
        Kind("eval_mode_in_training", "The model is in eval mode while it trains",
             "batch norm or dropout layers in eval mode in the forward passes that are trained on",
             "PyTorch, Module.eval"),
        Kind("too_strong_augmentation", "The augmentation is too strong",
             "training inputs prepared as the validation inputs are learn clearly more; of a cell "
             "that ended: validation is clearly better than training on what it changed",
             "Cubuk et al. 2020, RandAugment, section 4"),
        Kind("too_small_network", "The network is too small for the task",
             "all planned steps were run, training and validation fall short alike, and a linear "
             "classifier does as well",
             "Goodfellow, Bengio and Courville 2016, Deep Learning, section 5.2"),
        Kind("overfitting", "The network learns its training images by heart",
             "of a cell that ended: nearly all right in training and clearly less in validation, "
             "whichever statistics batch norm uses",
             "Goodfellow, Bengio and Courville 2016, Deep Learning, section 5.2"),
    )
}  # fmt: skip
"""By name."""
