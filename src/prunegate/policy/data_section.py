"""The data section: what the columns of a table are called, and what the models' columns hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from prunegate.policy.expectations import Expectation
from prunegate.policy.place import Place
from prunegate.policy.section import Scalar, Section, Share, Text

OWN_FILES = ("label", "baseline", "candidate")
"""Roles whose columns may share a name, because each can come in a file of its own."""


class Columns(Section):
    """Names of the columns where they differ from the contract's."""

    id: Text = "id"
    """Unique name of a row."""
    label: Text = "label"
    """The true answer."""
    baseline: Text = "baseline"
    """The baseline's answer: a score, a class or a log-likelihood."""
    candidate: Text = "candidate"
    """The candidate's answer, likewise."""
    image: Text = "image"
    """Image classifiers: path of the image."""
    text: Text = "text"
    """Text classifiers: what is judged."""
    prompt: Text = "prompt"
    """Language models: what is given."""
    reference: Text = "reference"
    """Language models: what is given, and the text whose likelihood is measured."""
    split: Text = "split"
    """Which split a row belongs to."""
    tokens: Text = "tokens"
    """Language models: tokens of the row's text."""
    baseline_quality: Text = "baseline_quality"
    """Language models: how good the text is that the baseline wrote, where that is judged."""
    candidate_quality: Text = "candidate_quality"
    """Language models: the candidate's, likewise."""

    @property
    def told_apart(self) -> Columns:
        """The names in one table: who shares a name with another says whose column it is.

        In files of their own, both models may call their column ``score``; together they are
        ``score`` and ``score (candidate)``.
        """
        taken: set[str] = set()
        renamed = {}
        for role in OWN_FILES:
            name = getattr(self, role)
            renamed[role] = f"{name} ({role})" if name in taken else name
            taken.add(name)
        return self if len(taken) == len(OWN_FILES) else self.model_copy(update=renamed)


class ScoresSection(Section):
    """What the models' columns hold, where that is a score for each class."""

    prefix: Text | None = None
    """A column for each class: p_cat, p_dog in a file of one model's answers, baseline_p_cat and
    candidate_p_cat in a table of both. Without it the model's column holds lists or structures."""
    activation: Literal["none", "softmax", "sigmoid"] = "none"
    """What makes probabilities of the scores: softmax or sigmoid of logits, else none."""
    classes: tuple[Scalar, ...] = ()
    """The classes in the order of a list's scores; absent: 'task: classes', or the names found."""


class DataSection(Section):
    """The labelled data that ``run`` judges on."""

    table: Place | None = None
    """CSV or Parquet file, relative to the policy file; needed by ``run`` and ``compress``."""
    images: Place | None = None
    """Folder that image paths start from; default: the table's own folder."""
    columns: Columns = Columns()
    scores: ScoresSection | None = None
    """The models' answers are scores for each class."""
    production: (
        Annotated[
            dict[Text, Annotated[dict[Text, Share], Field(min_length=1, max_length=200)]],
            Field(min_length=1, max_length=1),
        ]
        | None
    ) = None
    """The content that production sees: a slicing key, and the share of each of its values, such as
    {content_type: {display: 0.5, video: 0.3, ugc: 0.2}}. Results are also told reweighted to it,
    and 'slices: production' makes that a rule's slice."""
    tolerance: Share | None = None
    """How far the table's mix may be from production's (half the sum of absolute differences of the
    shares): beyond it the data contract is broken; absent: beyond 0.1 there is a warning."""
    expect: Annotated[tuple[Expectation, ...], Field(max_length=100)] = ()
    """What the table must be besides, in Great Expectations' own words, such as
    {expect_column_values_to_be_between: {column: width, min_value: 1}}. It is judged on the rows
    before anything else: on the labelled data where a candidate is made, else on the predictions.
    """
