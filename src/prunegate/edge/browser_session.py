"""A page in headless Chromium that scores rows: what is judged is what runs there.

One row at a time, as people's pictures come; each answer with how long preparing the picture and
the model itself took. Whatever goes wrong there ends the session with one error that says what to
do.
"""

from __future__ import annotations

import contextlib
import math
import queue
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from prunegate.edge.chromium import Chromium, chromium_program, chromium_version
from prunegate.edge.serving import PageSaid, PageServer, Row
from prunegate.errors import InputError, ModelError, TableError

OPEN_S = 300.0
"""How long a page may take until its model is loaded."""
ROW_S = 120.0
"""How long one row may take."""
_TICK_S = 0.2
_NAMED = 10
_SHOWN = 80
_ROUNDED = 1e-6
"""How far shares in float64 may be from a whole."""


@dataclass(frozen=True, kw_only=True)
class BrowserScores:
    """Some rows as the page scored them."""

    shares: NDArray[np.float64]
    """Probabilities [rows, classes]."""
    run_ms: NDArray[np.float64]
    """Of each row: the model."""
    prepare_ms: NDArray[np.float64]
    """Of each row: preparing its picture or text."""


@dataclass(frozen=True, kw_only=True)
class PageAnswers:
    """What every answer of a page has to be."""

    classes: int
    """Probabilities, one a class."""
    whole: bool
    """Whether they are shares of one whole."""


class BrowserSession:
    """A page that is open; made by ``browser_session``."""

    def __init__(
        self, server: PageServer, browser: Chromium, version: str, answers: PageAnswers
    ) -> None:
        self._server, self._browser, self._answers = server, browser, answers
        self.version = version
        """Of Chromium."""
        self.load_ms = _number(self._next(OPEN_S, "load the model"), "load_ms")
        """How long runtime and model took to load."""

    def pictures(self, paths: Sequence[Path]) -> BrowserScores:
        """Score picture files.

        Raises:
            TableError: pictures that the browser cannot read; all of them are named.
            ModelError: the page or the browser failed.
        """
        rows = (Row(number=number, content=_content(path)) for number, path in enumerate(paths))
        return self._scored(rows, [str(path) for path in paths])

    def texts(self, texts: Sequence[str]) -> BrowserScores:
        """Score texts.

        Raises:
            TableError: texts that the page cannot score; all of them are named.
            ModelError: the page or the browser failed.
        """
        rows = (
            Row(number=number, content=text.encode(), kind="text")
            for number, text in enumerate(texts)
        )
        return self._scored(rows, [f"text {number + 1}" for number in range(len(texts))])

    def values(self, values: NDArray[np.float32], height_width: tuple[int, int]) -> BrowserScores:
        """Score pixel values that were prepared here, to compare the runtimes alone.

        Args:
            values: [N, ...] as the model takes them.
            height_width: of the pictures.
        """
        rows = (
            Row(number=number, content=one.tobytes(), kind="values", height_width=height_width)
            for number, one in enumerate(np.ascontiguousarray(values))
        )
        return self._scored(rows, [f"row {number}" for number in range(len(values))])

    def _scored(self, rows: Iterator[Row], names: Sequence[str]) -> BrowserScores:
        shares, answers, problems = [], [], []
        for row, name in zip(rows, names, strict=True):
            self._server.rows.put(row)
            told = self._next(ROW_S, f"score {name}")
            if "error" in told:
                problems.append(f"  {name}: {told['error']}")
            elif told.get("row") != row.number:
                raise ModelError("the page answered another row than it was given; try again")
            else:
                shares.append(_shares(told, self._answers))
                answers.append(told)
        _refuse(problems)
        return BrowserScores(
            shares=np.array(shares, dtype=np.float64),
            run_ms=np.array([_number(told, "run_ms") for told in answers]),
            prepare_ms=np.array([_number(told, "prepare_ms") for told in answers]),
        )

    def _next(self, wait_s: float, doing: str) -> Mapping[str, Any]:
        until = time.monotonic() + wait_s
        while True:
            try:
                told = self._server.told.get(timeout=_TICK_S)
            except queue.Empty:
                self._require_alive(doing)
                if time.monotonic() < until:
                    continue
                raise ModelError(
                    f"the browser did not {doing} within {wait_s:,.0f} s; is the machine busy, or "
                    "the model too large for a browser?"
                ) from None
            return _heard(told, doing)

    def _require_alive(self, doing: str) -> None:
        how = self._browser.ended()
        if how is not None:
            raise ModelError(
                f"Chromium ended when it was to {doing} ({how}); is memory enough, and may it "
                "start here at all?"
            )


@contextmanager
def browser_session(
    files: Mapping[str, bytes], answers: PageAnswers, program: str | Path | None = None
) -> Iterator[BrowserSession]:
    """Open a page's folder in headless Chromium.

    Args:
        files: by name, ``judged_files`` among them.
        answers: what its answers have to be.
        program: Chromium; None: as it is installed.

    Raises:
        InputError: no Chromium, too old, or it does not start.
        ModelError: the page does not load the model.
    """
    found = chromium_program(program)
    version = chromium_version(found)
    with contextlib.ExitStack() as kept:
        server = PageServer(files)
        kept.callback(server.close)
        browser = Chromium(found, server.address("judged.html"))
        kept.callback(browser.close)
        yield BrowserSession(server, browser, version, answers)


def _heard(told: PageSaid, doing: str) -> Mapping[str, Any]:
    if told.what == "failed":
        raise ModelError(f"the page failed ({told.content.get('error')}); correct the model")
    if told.what == "gone":
        raise ModelError(
            f"the page crashed when it was to {doing}; most often memory is not enough: a page has "
            "4 GB at most"
        )
    return told.content


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); correct its row") from error


def _number(told: Mapping[str, Any], name: str) -> float:
    value = told.get(name)
    if not _is_number(value) or not 0 <= value < math.inf:
        raise ModelError(f"the page told {name} {value!r}; it has to be a time. Try again")
    return float(value)


def _shares(told: Mapping[str, Any], wanted: PageAnswers) -> list[float]:
    """The probabilities of an answer, whatever the page may have told in their place."""
    told_of = told.get("shares")
    found = told_of if isinstance(told_of, list) else []
    good = all(_is_number(one) and 0 <= one <= 1 for one in found)
    if not good or len(found) != wanted.classes:
        raise ModelError(
            f"the page answered {str(told_of)[:_SHOWN]}, which are no probabilities of "
            f"{wanted.classes} classes; make the page again with 'prunegate edge'"
        )
    if wanted.whole and abs(sum(found) - 1) > _ROUNDED:
        raise ModelError(
            f"the page answered shares of a softmax that add up to {sum(found):g}, not to 1; make "
            "the page again with 'prunegate edge'"
        )
    return [float(one) for one in found]


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(problems: Sequence[str]) -> None:
    if not problems:
        return
    more = [f"  and {len(problems) - _NAMED} more"] if len(problems) > _NAMED else []
    raise TableError(
        f"{len(problems)} rows cannot be scored in the browser; replace them or take out their "
        "rows:\n" + "\n".join([*problems[:_NAMED], *more])
    )
