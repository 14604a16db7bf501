"""Answer kinds: what training, ranking and recovery have to know of a model's answers.

One object per kind of answer: its loss against labels, and how far two models' answers are apart. A
batch's labels say which kind it is, by their form alone (``models/batch.py``); whoever needs a loss
or a distance asks the object and never compares forms.

Classes that exclude each other: the cross-entropy of a softmax. Several labels a row, each a yes or
no of its own: the mean of their binary cross-entropies. Tokens: the cross-entropy of each that
counts. One number a row: its squared error.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from prunegate.errors import TableError
from prunegate.models.batch import NOT_COUNTED

Reduction = Literal["mean", "sum"]
Apart = Literal["divergence", "distance"]
"""Of two models' answers: KL(wanted || found) in nats, or the squared difference of numbers."""


class AnswerKind(ABC):
    """One kind of answer; stateless."""

    apart: ClassVar[Apart] = "divergence"
    """What ``distance`` is called in records."""

    @abstractmethod
    def loss(self, logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
        """The loss of logits against labels (``Batch.labels``), over rows or tokens: a scalar.

        Raises:
            TableError: labels that are none of the model's answers.
        """

    @abstractmethod
    def distance(
        self, found: Tensor, wanted: Tensor, labels: Tensor, reduction: Reduction
    ) -> Tensor:
        """How far logits are from another model's, of one shape: a scalar, 0 where they agree."""

    def answers(self, labels: Tensor) -> int:
        """How many answers a batch of labels asks for: rows, or counted tokens."""
        return len(labels)

    def right(self, logits: Tensor, labels: Tensor) -> int | None:
        """Rows of logits [B, classes] that are classified right; None: a row has no one class."""
        del logits, labels
        return None


class OneClass(AnswerKind):
    """One of several classes: logits [B, classes], labels int64 [B]."""

    def loss(self, logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
        classes = logits.shape[-1]
        if bool(((labels < 0) | (labels >= classes)).any()):
            raise TableError(
                f"labels have to be class numbers from 0 to {classes - 1} of the model."
            )
        return functional.cross_entropy(logits, labels, reduction=reduction)

    def distance(
        self, found: Tensor, wanted: Tensor, labels: Tensor, reduction: Reduction
    ) -> Tensor:
        del labels
        return _divergence(found, wanted, reduction)

    def right(self, logits: Tensor, labels: Tensor) -> int | None:
        return int((logits.argmax(dim=-1) == labels).sum())


class SeveralLabels(AnswerKind):
    """Any of several labels: logits and labels float32 [B, labels], 1 for each that a row has."""

    def loss(self, logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
        if labels.shape != logits.shape or bool(((labels != 0) & (labels != 1)).any()):
            raise TableError(
                f"a row has 1 or 0 for each of the model's {logits.shape[-1]} labels; the labels "
                f"are {list(labels.shape[1:])} numbers a row, or others."
            )
        losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        return _reduced(losses.mean(dim=-1), reduction)

    def distance(
        self, found: Tensor, wanted: Tensor, labels: Tensor, reduction: Reduction
    ) -> Tensor:
        """The mean over labels of the divergence between yes and no."""
        del labels
        apart = torch.zeros_like(found)
        for sign in (1, -1):  # yes, then no
            asked, said = functional.logsigmoid(sign * wanted), functional.logsigmoid(sign * found)
            apart = apart + asked.exp() * (asked - said)
        return _reduced(apart.mean(dim=-1), reduction)


class NextTokens(AnswerKind):
    """A text's tokens: logits [B, T, tokens], labels int64 [B, T]."""

    def loss(self, logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
        """A document's mean per counted token; under "mean" that of all counted tokens.

        Raises:
            TableError: a document without a counted token.
        """
        following = labels[:, 1:]
        counted = following != NOT_COUNTED
        if not bool(counted.any(dim=1).all()):
            raise TableError("a document without a token to predict; its reference may be empty.")
        losses = functional.cross_entropy(
            logits[:, :-1].flatten(0, 1),
            following.flatten(),
            ignore_index=NOT_COUNTED,
            reduction="none",
        ).view(following.shape)
        if reduction == "mean":
            return losses.sum() / counted.sum()
        return (losses.sum(dim=1) / counted.sum(dim=1)).sum()

    def distance(
        self, found: Tensor, wanted: Tensor, labels: Tensor, reduction: Reduction
    ) -> Tensor:
        counted = labels[:, 1:] != NOT_COUNTED
        return _divergence(found[:, :-1][counted], wanted[:, :-1][counted], reduction)

    def answers(self, labels: Tensor) -> int:
        return int((labels[:, 1:] != NOT_COUNTED).sum())


class OneNumber(AnswerKind):
    """A number: logits [B, 1], labels float32 [B]."""

    apart = "distance"

    def loss(self, logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
        found = _numbers(logits, len(labels))
        if not bool(torch.isfinite(labels).all()):
            raise TableError("a row without a number to learn; give every row a finite one.")
        return _reduced((found - labels).square(), reduction)

    def distance(
        self, found: Tensor, wanted: Tensor, labels: Tensor, reduction: Reduction
    ) -> Tensor:
        """The squared difference."""
        apart = _numbers(found, len(labels)) - _numbers(wanted, len(labels))
        return _reduced(apart.square(), reduction)


def answer_kind(labels: Tensor) -> AnswerKind:
    """The kind of answer that a batch's labels are, by their form."""
    return _KINDS[labels.is_floating_point(), labels.dim() > 1]


_KINDS: dict[tuple[bool, bool], AnswerKind] = {
    (False, False): OneClass(),
    (False, True): NextTokens(),
    (True, False): OneNumber(),
    (True, True): SeveralLabels(),
}
"""By whether labels are floating-point, and whether a row has several."""


def _numbers(answers: Tensor, rows: int) -> Tensor:
    if answers.shape != (rows, 1):
        raise TableError(
            f"rows have one number each, and the model answers {rows} of them with "
            f"{list(answers.shape)}."
        )
    return answers[:, 0]


def _divergence(found: Tensor, wanted: Tensor, reduction: Reduction) -> Tensor:
    return functional.kl_div(
        functional.log_softmax(found, dim=-1),
        functional.log_softmax(wanted, dim=-1),
        reduction="batchmean" if reduction == "mean" else "sum",
        log_target=True,
    )


def _reduced(rows: Tensor, reduction: Reduction) -> Tensor:
    return rows.mean() if reduction == "mean" else rows.sum()
