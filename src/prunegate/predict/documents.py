"""Documents: prompts with references, as a language model reads them.

::

    [before] [start] prompt | reference [end]
    given, not counted      | counted

Prompt and reference are cut into tokens separately, so no token lies across the boundary; what
stands between them (a space, a line break) belongs into one of the two texts. ``before`` is what
the tokenizer puts before any text. Where that is nothing and the prompt is empty, the start token
precedes the reference; a model without one cannot be asked for the first token, which is then
given, not counted. The end token is counted where the model has one: when to stop is part of the
text, and fine-tuning on documents must not unlearn it. Of what is too long, the beginning of the
prompt goes first, then the end of the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prunegate.data.labelled.rows import Indices, LabelledRows, select_rows
from prunegate.errors import TableError
from prunegate.models.batch import NOT_COUNTED, Batch
from prunegate.policy.schema import Policy
from prunegate.predict.texts import TextSet
from prunegate.predict.tokens import Ids, Tokens
from prunegate.text.said import said


def sample_rows(
    policy: Policy, rows: LabelledRows, count: int, seed: int, split: str = "gate"
) -> Indices:
    """Return the places of at most ``count`` rows of a split, ascending.

    The values of the first slicing key take turns, so that a rare one is shown as often as a
    common one while it lasts.

    Args:
        policy: its first slicing by keys says what kinds of content there are.
        rows: the labelled rows.
        count: how many rows in all.
        seed: of the draw, which depends on the rows and the seed only.
        split: whose rows.
    """
    chosen = np.random.default_rng(seed).permutation(select_rows(rows, split))
    keys = next((spec.keys for spec in policy.slices if spec.keys), ())
    turns: dict[tuple[str | None, ...], int] = {}
    ranked = []
    for place in chosen.tolist():
        value = tuple(rows.columns[key][place] for key in keys)
        turns[value] = turns.get(value, 0) + 1
        ranked.append((turns[value], place))
    # Sorting is stable: within a turn, the order is the one drawn.
    ranked.sort(key=lambda one: one[0])
    return np.sort(np.array([place for _, place in ranked[:count]], dtype=np.int64))


AT_ONCE = 4096
"""Tokens of a batch, so that logits over a large vocabulary fit in memory."""


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Documents that have been cut into tokens; satisfies ``compress.examples.Examples``."""

    noun: ClassVar[str] = "documents"

    texts: TextSet
    """Prompt and reference of each document in one."""
    given: NDArray[np.int64]
    """Tokens at the beginning of each that are not counted."""

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def counted(self) -> NDArray[np.int64]:
        """Tokens of each document whose likelihood is measured, int64 [N]; at least one."""
        return self.texts.lengths - self.given

    def inputs(self, rows: NDArray[np.integer]) -> dict[str, Tensor]:
        """Return input_ids and attention_mask, int64 [B, tokens of the longest], on the CPU."""
        return self.texts.inputs(rows)

    def batches(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Yield row numbers, longest first, at most ``size`` and about ``AT_ONCE`` tokens."""
        lengths = self.texts.lengths
        for rows in self.texts.batches(size):
            fit = max(1, AT_ONCE // int(lengths[rows].max()))
            for start in range(0, len(rows), fit):
                yield rows[start : start + fit]

    def typical(self, count: int) -> NDArray[np.int64]:
        """Return ``count`` rows around the middle length."""
        return self.texts.typical(count)

    def subset(self, rows: NDArray[np.integer]) -> Documents:
        """Return some of the documents, in the order given."""
        return Documents(texts=self.texts.subset(rows), given=self.given[rows])

    def batch(self, rows: NDArray[np.integer]) -> Batch:
        """Return the batch of these rows; labels [B, T] are the tokens, or ``NOT_COUNTED``."""
        inputs = self.inputs(rows)
        labels = torch.where(inputs["attention_mask"] == 1, inputs["input_ids"], NOT_COUNTED)
        places = torch.arange(labels.shape[1])[None]
        given = torch.from_numpy(self.given[rows])[:, None]
        return Batch(inputs=inputs, labels=labels.masked_fill(places < given, NOT_COUNTED))


def open_documents(
    prompts: Sequence[str], references: Sequence[str], tokens: Tokens
) -> tuple[Documents, tuple[str, ...]]:
    """Cut documents into tokens.

    Args:
        prompts: May be empty texts.
        references: As many.
        tokens: Of both models.

    Returns:
        The documents, and warnings about those that were cut short.

    Raises:
        TableError: no documents, or references without a token that could be counted.
    """
    if not references:
        raise TableError("no documents; the table has to list at least one.")
    whole = [
        _document(beginning, reference, tokens)
        for beginning, reference in zip(
            beginnings(prompts, tokens), tokens.plain(references), strict=True
        )
    ]
    if nothing := sum(len(ids) <= given for ids, given, _ in whole):
        raise TableError(
            f"{nothing} reference(s) have no token whose likelihood could be measured; make them "
            "longer or take out their rows."
        )
    cut = sum(cut for *_, cut in whole)
    warning = said("warning.cut_documents", n=cut, whole=len(whole), most=tokens.longest)
    texts = TextSet(ids=tuple(ids for ids, *_ in whole), pad=tokens.pad)
    given = np.array([given for _, given, _ in whole], dtype=np.int64)
    return Documents(texts=texts, given=given), (warning,) if cut else ()


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What is given of a document."""

    head: tuple[int, ...]
    """Special tokens; empty where the tokenizer puts none and a prompt begins the document."""
    prompt: Ids

    def __len__(self) -> int:
        return len(self.head) + len(self.prompt)

    def within(self, room: int) -> Ids:
        """At most ``room`` tokens, the head and the end of the prompt; one token at least."""
        left = max(room - len(self.head), 0 if self.head else 1)
        prompt = self.prompt[max(0, len(self.prompt) - left) :]
        return np.array([*self.head, *prompt], dtype=np.int32)


def beginnings(prompts: Sequence[str], tokens: Tokens) -> list[Beginning]:
    """What is given of each document; nothing only without a prompt and without a start token."""
    before = tokens.before()
    alone = before or (() if tokens.start is None else (tokens.start,))
    return [
        Beginning(head=before if len(prompt) else alone, prompt=prompt)
        for prompt in tokens.plain(prompts)
    ]


def _document(beginning: Beginning, reference: Ids, tokens: Tokens) -> tuple[Ids, int, bool]:
    """The document's tokens, how many of them are given, and whether it was cut short."""
    end = [] if tokens.end is None or not len(reference) else [tokens.end]
    said = np.array([*reference, *end], dtype=np.int32)
    given = beginning.within(tokens.longest - len(said))
    ids = np.concatenate([given, said])
    wanted = len(beginning) + len(said)
    # Without anything given, the first token is: nothing asks for it.
    return ids[: tokens.longest], len(given) or 1, wanted > min(len(ids), tokens.longest)
