"""Prediction files: what each of several files gives of one predictions table.

Two batch jobs write a file each, and the labels lie in a third. Whoever gives them says what each
is; nothing is guessed from columns that happen to be there. What a file does not give is taken from
the one that has it by this order: the label from the labels, else from the predictions of both
models, else of the baseline; the baseline's answers from its own file, else from the predictions of
both, else from beside the labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from prunegate.counting.class_columns import LISTED
from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.separate_tables import SeparateTable
from prunegate.data.predictions.spark_files import is_for_spark
from prunegate.data.predictions.wanted import WantedColumns
from prunegate.errors import InputError
from prunegate.policy.schema import Policy

_LABEL_FROM = ("labels", "predictions", "baseline_predictions")
_BASELINE_FROM = ("baseline_predictions", "predictions", "labels")
_CANDIDATE_FROM = ("candidate_predictions", "predictions")


@dataclass(frozen=True, kw_only=True)
class PredictionFiles:
    """Several sources of the same rows, each as for ``open_predictions``."""

    labels: Any = None
    predictions: Any = None
    """Of both models."""
    baseline_predictions: Any = None
    candidate_predictions: Any = None

    @classmethod
    def of(cls, source: Any) -> Any:
        """A mapping from what is given to its source, as such files; anything else as it is.

        Raises:
            InputError: the mapping has another key.
        """
        if not isinstance(source, Mapping):
            return source
        known = [field.name for field in fields(cls)]
        if other := sorted(map(str, source.keys() - set(known))):
            raise InputError(f"{other[0]!r} is no table of predictions; give {', '.join(known)}")
        return cls(**source)

    @property
    def any_for_spark(self) -> bool:
        """Whether Spark computes one of them."""
        return any(is_for_spark(getattr(self, role)) for role in self.roles)

    @property
    def roles(self) -> tuple[str, ...]:
        """What is given."""
        return tuple(name for name, source in vars(self).items() if source is not None)

    def tables(
        self, policy: Policy, wanted: WantedColumns, labels: Sequence[str]
    ) -> tuple[SeparateTable, ...]:
        """What each file gives of the wanted columns; slicing keys may be in any.

        Args:
            policy: names the columns.
            wanted: the joined table's columns, and how they are read.
            labels: of these, the ones that say what is right.

        Raises:
            InputError: files that no table follows from.
        """
        self._require_enough()
        own, told = policy.data.columns, policy.columns
        spelt = {getattr(told, role): getattr(own, role) for role in type(own).model_fields}
        home = dict.fromkeys(labels, self._first(_LABEL_FROM))
        task = task_of(policy)
        home |= dict.fromkeys(task.model_columns(policy, "baseline"), self._first(_BASELINE_FROM))
        home |= dict.fromkeys(task.model_columns(policy, "candidate"), self._first(_CANDIDATE_FROM))
        home[LISTED["baseline"]] = self._first(_BASELINE_FROM)
        home[LISTED["candidate"]] = self._first(_CANDIDATE_FROM)
        found = [column for column in wanted.names if column not in wanted.answers]
        return tuple(
            SeparateTable(
                role=role,
                source=getattr(self, role),
                columns={
                    told.id: own.id,
                    **{c: spelt[c] for c in found if home.get(c) == role},
                },
                answers={c: how for c, how in wanted.answers.items() if home[c] == role},
            )
            for role in self.roles
        )

    def _first(self, roles: Sequence[str]) -> str:
        return next(role for role in roles if role in self.roles)

    def _require_enough(self) -> None:
        given = set(self.roles)
        if "predictions" in given and given & {"baseline_predictions", "candidate_predictions"}:
            raise InputError(
                "--predictions holds the answers of both models; give it with --labels alone, or "
                "give --baseline-predictions and --candidate-predictions"
            )
        if not given.intersection(_CANDIDATE_FROM):
            raise InputError(
                "the candidate's answers are missing; give --candidate-predictions FILE, or "
                "--predictions FILE with those of both models"
            )
        if not given.intersection(_BASELINE_FROM):
            raise InputError(
                "labels and the baseline's answers are missing; give --labels FILE, and "
                "--baseline-predictions FILE where the baseline's answers are not beside the labels"
            )
