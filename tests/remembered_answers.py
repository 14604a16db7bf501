"""Great Expectations asked once for each question of a session, by whole commands.

Every gate asks it twelve things about its findings, every run some more about its rows; most tests
of whole commands vary what stands around the same few tables. The engine's answer to equal numbers
and equal laws is the same one, so it is kept. What is asked, and that a disagreement stops a
verdict, goes the whole way each time; the engine itself, its process and what it is worth are the
subject of ``unit/audit/test_second_opinion.py``, ``unit/audit/test_opinion_process.py`` and
``unit/data``, which remember nothing.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

ANSWERS: dict[bytes, list[Any]] = {}
"""The engine's results by what was asked, for all files that a worker runs."""


@contextmanager
def remembered_answers() -> Iterator[None]:
    """Ask in place, whose process would load the engine anew, and each question once."""
    process: Any = import_module("prunegate.audit.opinion.process")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "ask_of", lambda _: process.asked_here)
        patch.setattr(process, "at_hand", lambda: None)
        for name in ("whole_table", "expectations"):
            module: Any = import_module(f"prunegate.data.contract.{name}")
            patch.setattr(module, "_validate", _once(module._validate))
        yield


def _once(validate: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def answered(*asked: Any) -> list[Any]:
        question = pickle.dumps((validate.__module__, [*map(_plain, asked)]))
        if question not in ANSWERS:
            ANSWERS[question] = validate(*asked)
        return ANSWERS[question]

    return answered


def _plain(asked: Any) -> Any:
    """Columns as lists of floats, whose bits are compared; all else as it is."""
    if not isinstance(asked, Mapping):
        return asked
    return {name: [float(number) for number in column] for name, column in asked.items()}
