"""Rate: how good texts are, by a scoring model that was loaded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prunegate.errors import ModelError
from prunegate.models.library import load_from_library
from prunegate.models.load import LoadedModel
from prunegate.policy.quality import Quality
from prunegate.predict.classify import SCORED, numbers, probabilities
from prunegate.predict.rated_output import RatedOutput, refuse_scorer
from prunegate.predict.score import within_memory
from prunegate.predict.texts import TextSet
from prunegate.predict.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class TextRater:
    """A scoring model, and what it said so far: the same text is rated once."""

    model: LoadedModel
    tokens: Tokens
    output: RatedOutput
    bounds: tuple[float, float]
    """Smallest and largest rating there can be."""
    device: str = "cpu"
    keep: Literal["beginning", "end"] = "beginning"
    """What is read of a text that is too long: with its prompt before it, the end."""
    known: dict[str, float] = field(default_factory=dict, repr=False, compare=False)
    """Ratings, by text."""
    cut: set[str] = field(default_factory=set, repr=False, compare=False)
    """Texts that the scorer did not read whole."""

    @classmethod
    def open(
        cls, folder: Path, asked: Quality, device: str = "cpu", *, pickles: bool = False
    ) -> TextRater:
        """Load the scorer that a policy names.

        Args:
            folder: of the scorer.
            asked: what the policy says of it.
            device: "cpu" or "cuda".
            pickles: whether its weights may be read from one.

        Raises:
            ModelError, UnsupportedError: it rates no texts, or cannot be loaded.
        """
        output = refuse_scorer(folder, asked, pickles=pickles)
        model = load_from_library(folder, regressors=True, pickles=pickles)
        return cls(
            model=model,
            tokens=Tokens.of(folder, model.config),
            output=output,
            bounds=asked.bounds,
            keep="end" if asked.with_prompt else "beginning",
            device=device,
        )

    def ratings(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The rating of every text, float64 [N], within the bounds.

        Raises:
            ModelError: the scorer makes no token of a text, answers with NaN, or outside the
                bounds.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            cut = self._cut(new)
            try:
                found = self._rated(cut)
            except ModelError as error:
                raise ModelError(f"{self.model.place}, the scorer: {error}") from error
            self._require_bounds(found)
            self.known.update(zip(new, found.tolist(), strict=True))
        return np.array([self.known[text] for text in texts], dtype=np.float64)

    def _cut(self, texts: Sequence[str]) -> TextSet:
        ids, short = self.tokens.classified(texts, self.keep)
        if not all(map(len, ids)):
            raise ModelError(
                f"{self.model.place}: its tokenizer makes no token of a text that a model wrote "
                "(it may be empty); give a scorer whose tokenizer puts special tokens around a text"
            )
        self.cut.update(text for text, less in zip(texts, short, strict=True) if less)
        return TextSet(ids=tuple(ids), pad=self.tokens.pad)

    def _rated(self, texts: TextSet) -> NDArray[np.float64]:
        if self.output.activation == "none":
            return within_memory(lambda size: self._numbers(texts, size), SCORED)
        shares = within_memory(
            lambda size: probabilities(
                self.model.module,
                texts,
                batch_size=size,
                device=self.device,
                activation=self.output.activation,
            ),
            SCORED,
        )
        return shares[:, 1 if self.output.alone else self.output.place]

    def _numbers(self, texts: TextSet, size: int) -> NDArray[np.float64]:
        found = numbers(self.model.module, texts, batch_size=size, device=self.device)
        return found[:, self.output.place]

    def _require_bounds(self, found: NDArray[np.float64]) -> None:
        low, high = self.bounds
        if found.min() < low or found.max() > high:
            raise ModelError(
                f"{self.model.place}: rates texts from {found.min():g} to {found.max():g}, and "
                f"'quality: range' says {low:g} to {high:g}; give the range that there is"
            )
