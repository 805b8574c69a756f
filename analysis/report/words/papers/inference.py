"""How intervals and tests were made, in the past tense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.number_words import p_phrase
from analysis.report.words.caveats import SIGNIFICANT
from analysis.report.words.papers.macros import Say, plainly

if TYPE_CHECKING:
    from analysis.study import Study

INTERVALS = {
    "joined": (
        "Intervals of differences are 95% t intervals, as {shared}, whose variance has two parts: "
        "that of the runs' own noise, cell by cell, and what the replicates' values show beyond "
        "it, with Satterthwaite degrees of freedom of both"
    ),
    "welch": (
        "Intervals of differences are 95% cell-means Welch intervals "
        "(heteroscedasticity-consistent variances of the saturated model with Satterthwaite "
        "degrees of freedom)"
    ),
    "blocked": ("Intervals of differences are 95% t intervals over replicates, because {shared}"),
    "wider": (
        "Intervals of differences are the wider of two 95% intervals, as {shared}: the cell-means "
        "Welch interval (heteroscedasticity-consistent variances of the saturated model with "
        "Satterthwaite degrees of freedom) and the t interval over replicates"
    ),
    "pooled": (
        "Intervals of differences are 95% t intervals from the residual variance of the fitted "
        "model"
    ),
}
EXACT = (
    "exact Cochran–Mantel–Haenszel tests stratified by all other factors, combinations of two "
    "levels by Fisher's exact test against all other runs where no factor alone was shown to "
    "decide. Differences of rates are Mantel and Haenszel's, with Miettinen and Nurminen's score "
    "interval stratified by the same combinations; it holds zero just where the exact test of the "
    "two levels does not reject."
)
SHARES = (
    "type III F tests in a linear model of the share of runs of each combination of levels, each "
    "combination counted once, because levels seldom ran with the same levels of all other "
    "factors; its error variance is that of the residuals, or the mean binomial variance of the "
    "shares where that is larger. Differences of rates are contrasts of this model with t "
    "intervals. Combinations of two levels were held against all other runs by Fisher's exact test "
    "where no factor alone was shown to decide."
)
TESTS = {
    "joined": (
        "the same t where a term is one contrast, else the more cautious of a Wald test that lets "
        "every cell have its own variance, referred to Hotelling's T² with approximate degrees of "
        "freedom (or, with few cells, Box's approximation of the contrasts' squared length), and "
        "an F test of each term against its interaction with replicates, with Greenhouse and "
        "Geisser's correction"
    ),
    "welch": (
        "Wald tests that let every cell have its own variance, referred to Hotelling's T² with "
        "approximate degrees of freedom (or, with few cells, Box's approximation of the contrasts' "
        "squared length)"
    ),
    "blocked": (
        "F tests of each term against its interaction with replicates, with Greenhouse and "
        "Geisser's correction"
    ),
    "wider": (
        "the more cautious of two tests: a Wald test that lets every cell have its own variance, "
        "referred to Hotelling's T² with approximate degrees of freedom (or, with few cells, "
        "Box's approximation of the contrasts' squared length), and an F test of each term against "
        "its interaction with replicates, with Greenhouse and Geisser's correction"
    ),
    "type3": "type III F tests",
}

MODELS = {1: "main effects", 2: "main effects and pairs of factors"}
"""By the highest order of its terms."""
LENTH = (
    "Their noise was told from Lenth's pseudo standard error over the main effects and the "
    "contrasts of the runs beside them and the pairs of the four strongest, with limits and p "
    "values by simulation of as many effects of noise."
)


def completed(study: Study) -> str:
    """What stands for cells that did not run, and what its error is: a sentence, or nothing."""
    effects = study.estimates()
    lacks = effects.grid.completion.lacks
    if not effects.cells.empty.any() or not lacks or not effects.main_effects["rests_on"].any():
        return ""
    model = MODELS.get(max(lacks), f"interactions of up to {max(lacks)} factors")
    return (
        f" Cells that did not run were predicted by a model of {model}, fitted to those that did; "
        "how far these lie from it is a second part of the variance of all that needs them."
    )


def intervals(study: Study, say: Say = plainly) -> str:
    """How the intervals of differences and means were made: a sentence."""
    if study.by_lenth:
        return f"Intervals are those of main effects. {LENTH}"
    effects = study.estimates()
    rule = effects.rule
    shared = "it could not be ruled out that runs that share a seed move together"
    if rule.p < SIGNIFICANT:
        p = say("SeedsP", p_phrase(rule.p), "F test of whether runs that share a seed go together")
        shared = f"runs that share a seed were not independent (F test, {p})"
    means = "those of means likewise"
    if effects.jumps is not None:
        means = (
            "those of means are bounds, Clopper and Pearson's of the share of runs in the lower of "
            "two modes together with t limits of each mode"
        )
    return f"{INTERVALS[rule.primary].format(shared=shared)}; {means}."


def analysed(study: Study, say: Say = plainly) -> str:
    """What an effect is, how it got its interval and its p, and how all were judged."""
    rule = say("Judgement", study.judgement.rule, "how all questions of the study are judged")
    convergence = ""
    if "converged" in study.facts:
        reached = say("Goal", study.goal.did, "what a run that converged did")
        speaking = study.speaking
        modelled = speaking is not None and bool(speaking.compared.models)
        convergence = f" Which runs {reached} was analysed by {SHARES if modelled else EXACT}"
    if study.by_lenth:
        return (
            f"Main effects on {study.measure.name} are the mean at one level minus that at the "
            f"other. {LENTH} {rule}{convergence}"
        )
    return (
        f"Effects on {study.measure.name} are contrasts of equal-weight marginal means of the "
        f"cell means.{completed(study)} {intervals(study, say)} p values of differences between "
        "levels are those of the same t; those of whole terms are those of "
        f"{TESTS[study.estimates().deciding]}. {rule} Variance shares are those of the exact "
        f"functional analysis of variance of the cell means, corrected for noise.{convergence}"
    )
