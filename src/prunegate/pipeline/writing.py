"""Writing: what both models write after every prompt of a split, and how good a scorer finds it.

The likeliest token each time, as many as the policy's ``generate`` says. A model's texts are
written once, whoever asks for them; the same text has the same rating whichever model wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from torch import nn

from prunegate.audit.generations import generations_of
from prunegate.audit.written_texts import Generation, QualityScorer
from prunegate.data.labelled.rows import select_rows
from prunegate.errors import InputError, TableError
from prunegate.models.load import LoadedModel
from prunegate.policy.generate import Generate
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Split
from prunegate.predict.documents import Beginning, beginnings
from prunegate.predict.generate import Greedy
from prunegate.predict.material import Material, used_splits
from prunegate.predict.rate import TextRater
from prunegate.predict.tokens import Tokens
from prunegate.text.said import said

_Texts = dict[Split, list[str]]


@dataclass(frozen=True, kw_only=True)
class RatedWriting:
    """What is written of a run's rows, and who rates it."""

    policy: Policy
    material: Material
    tokens: Tokens
    """Of both models."""
    rater: TextRater
    length: Generate
    written: WeakKeyDictionary[nn.Module, _Texts] = field(
        default_factory=WeakKeyDictionary, repr=False, compare=False
    )
    """What each model wrote so far."""

    @classmethod
    def of(
        cls, policy: Policy, folder: Path, material: Material, device: str, *, pickles: bool = False
    ) -> RatedWriting | None:
        """Load the policy's scorer; None: the policy asks for no quality.

        Args:
            policy: the policy.
            folder: what its paths start from.
            material: the rows, documents.
            device: "cpu" or "cuda".
            pickles: whether the scorer's weights may be read from one.

        Raises:
            InputError: the scorer cannot be used, or there is nothing to begin a text with.
        """
        asked = policy.quality
        if asked is None or asked.scorer is None or material.tokens is None:
            return None
        rater = TextRater.open(folder / asked.scorer, asked, device, pickles=pickles)
        found = cls(
            policy=policy,
            material=material,
            tokens=material.tokens,
            rater=rater,
            length=policy.generate or Generate(),
        )
        found._require_room()
        splits: tuple[Split, ...] = ("gate", "search")
        for split in splits:
            if split in used_splits(policy):
                found._require_beginnings(split)
        return found

    @property
    def told(self) -> QualityScorer:
        """The scorer, as the record names it."""
        asked, model = self.policy.quality, self.rater.model
        assert asked is not None  # noqa: S101  # there is none of these without it
        return QualityScorer(
            architecture=model.family.architecture,
            digest=model.digest,
            output=self.rater.output.name,
            low=asked.bounds[0],
            high=asked.bounds[1],
            new_tokens=self.length.new_tokens,
            prompt_tokens=self.length.prompt_tokens,
            with_prompt=asked.with_prompt,
        )

    def texts(
        self, model: LoadedModel, split: Split, advance: Callable[[int, int], object]
    ) -> list[str]:
        """What a model writes after each prompt of a split, in the order of its rows.

        Args:
            model: a language model with the tokenizer of the rows.
            split: whose rows.
            advance: called with the texts written so far, and how many there are.

        Raises:
            ModelError: outputs that are not finite, or a cache that changes what is said.
        """
        of_model = self.written.setdefault(model.module, {})
        if split not in of_model:
            starts, done = self._beginnings(split), 0

            def one_more(count: int) -> None:
                nonlocal done
                done += count
                advance(done, len(starts))

            greedy = Greedy(
                tokens=self.tokens,
                most=self.length.new_tokens,
                prompt=self._prompt,
                device=self.rater.device,
            )
            of_model[split] = greedy.texts(model.module, starts, one_more)
        return of_model[split]

    def quality(self, texts: Sequence[str], split: Split) -> NDArray[np.float64]:
        """How good the texts are, float64 [N]; one for each row of the split."""
        return self.rater.ratings(self._read(texts, split))

    def _read(self, texts: Sequence[str], split: Split) -> list[str]:
        """What the scorer reads of each row."""
        assert self.policy.quality is not None  # noqa: S101  # as above
        if not self.policy.quality.with_prompt:
            return list(texts)
        return [prompt + text for prompt, text in zip(self._prompts(split), texts, strict=True)]

    def warnings(self, models: Mapping[str, LoadedModel]) -> Iterator[str]:
        """What is odd about the texts of the gate split, model by model.

        Args:
            models: by what they are called; both have written.
        """
        for name, model in models.items():
            texts = self.written[model.module]["gate"]
            if nothing := sum(not text.strip() for text in texts):
                yield said("warning.wrote_nothing", model=name, n=nothing, whole=len(texts))
            elif len(texts) > 1 and len(set(texts)) == 1:
                yield said("warning.wrote_same", model=name, n=len(texts))
            if cut := sum(text in self.rater.cut for text in self._read(texts, "gate")):
                part = "beginning" if self.rater.keep == "end" else "end"
                yield said(
                    "warning.wrote_long",
                    n=cut,
                    whole=len(texts),
                    model=name,
                    most=self.rater.tokens.longest,
                    part=part,
                )

    def sample(
        self, drawn: Sequence[int], models: tuple[LoadedModel, LoadedModel]
    ) -> tuple[Generation, ...]:
        """Some of what both models wrote on the gate split, with its ratings.

        Args:
            drawn: rows, by their places.
            models: baseline and candidate.
        """
        rows = self.material.rows
        places = {place: n for n, place in enumerate(select_rows(rows, "gate").tolist())}
        chosen = [places[place] for place in drawn]
        said: list[list[str]] = []
        rated: list[list[float]] = []
        for model in models:
            texts = self.texts(model, "gate", lambda _done, _total: None)
            quality = self.quality(texts, "gate")
            said.append([texts[n] for n in chosen])
            rated.append([float(quality[n]) for n in chosen])
        return generations_of(self.policy, rows, drawn, said, rated)

    @property
    def _prompt(self) -> int:
        room = self.tokens.longest - self.length.new_tokens
        return min(room, self.length.prompt_tokens or room)

    def _prompts(self, split: Split) -> list[str]:
        rows = self.material.rows
        return [rows.prompts[place] for place in select_rows(rows, split).tolist()]

    def _beginnings(self, split: Split) -> list[Beginning]:
        return beginnings(self._prompts(split), self.tokens)

    def _require_room(self) -> None:
        if self._prompt < 1:
            raise InputError(
                f"the models take {self.tokens.longest:,} tokens, and {self.length.new_tokens:,} "
                "new ones leave none for a prompt; write fewer: 'generate: {new_tokens: ..}'"
            )

    def _require_beginnings(self, split: Split) -> None:
        if nothing := sum(not len(one) for one in self._beginnings(split)):
            raise TableError(
                f"{nothing} document(s) of the {split} split have no prompt, and the models no "
                "start token, so nothing can be written that could be rated; give prompts, or "
                "take out their rows"
            )
