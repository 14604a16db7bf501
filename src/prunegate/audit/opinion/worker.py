"""The second opinion's own process: what runs in it.

It is started before anything is counted and loads Great Expectations meanwhile. It knows nothing of
the process that judges but what it is told, one line of JSON for one verdict: the policy's document
and the finished verdict. It answers each with one line, which names the line that it answers by its
sha256. Its input's end is its own, whatever it is doing: nobody is left who could ask.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import traceback
from importlib.machinery import PathFinder
from importlib.util import LazyLoader
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, BinaryIO

from prunegate.errors import PrunegateError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

LATER = frozenset({"altair", "scipy.stats"})
"""What Great Expectations imports for other expectations than ours: loaded when it is first used,
which here is never. A third of its loading time."""
ABSENT = ("sqlalchemy",)
"""An extra of Great Expectations, for data in databases; where it is installed for something else,
loading it is a tenth of the time."""


def main() -> None:
    """Load the engine, then answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    asked: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    try:
        _load()
        while True:
            answers.write(json.dumps(answer_line(asked.get())) + "\n")
            answers.flush()
    except BaseException:  # whatever it is, it is the last word on standard error
        traceback.print_exc()
        os._exit(1)  # an orderly end would wait for the listener


def answer_line(line: bytes) -> dict[str, Any]:
    """What is said about one line: agreement (what was judged), or why there is none."""
    named = {"of": hashlib.sha256(line.rstrip(b"\n")).hexdigest()}
    try:
        return named | {"agrees": _opinion(json.loads(line))}
    except PrunegateError as error:
        return named | {"disagrees": str(error)}


def _opinion(told: dict[str, Any]) -> dict[str, Any]:
    from pydantic import TypeAdapter

    from prunegate.audit.canonical import plain_json
    from prunegate.audit.opinion.second_opinion import second_opinion
    from prunegate.errors import InternalError
    from prunegate.policy.validation import validate_values
    from prunegate.verdict.finding import Verdict
    from prunegate.verdict.waiver import Waiver

    policy, mistakes = validate_values(told["policy"])
    if policy is None:
        raise InternalError(f"the policy cannot be read back: {mistakes}")
    verdict = TypeAdapter(Verdict).validate_python(told["verdict"])
    waivers = TypeAdapter(tuple[Waiver, ...]).validate_python(told["waivers"])
    found: dict[str, Any] = plain_json(second_opinion(policy, verdict, waivers))
    return found


def _listen(source: BinaryIO, asked: SimpleQueue[bytes]) -> None:
    for line in source:
        if not line.endswith(b"\n"):
            break  # cut short
        asked.put(line)
    os._exit(0)


def _load() -> None:
    """Everything that an answer needs, before the first question comes."""
    gc.disable()  # classes are made, by the thousand, and none is garbage
    import pandas as pd  # noqa: F401

    import prunegate.audit.opinion.second_opinion
    import prunegate.policy.validation  # noqa: F401  # its models look through what is loaded
    from prunegate.data.contract.great_expectations import load_great_expectations

    sys.modules.update(dict.fromkeys(ABSENT))  # type: ignore[arg-type]  # Python's mark for absence
    sys.meta_path.insert(0, _Later())  # a finder by its one method
    load_great_expectations()
    gc.freeze()
    gc.enable()


class _Later:
    """Python's own lazy loader (importlib.util) for the modules of ``LATER``."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is found, and a loader that waits; nothing for other modules."""
        spec = PathFinder.find_spec(name, path, target) if name in LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
