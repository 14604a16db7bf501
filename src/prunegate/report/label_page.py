"""Label page: ``label.html``, where somebody looks at the rows of a list and says what they are.

One offline file with a script of its own, which the content security policy names by digest; it
asks for nothing, save pictures in the folder beside it where they are too many to be inside.
Labelling is blind: neither scores nor decisions are in it. Other people's words reach the page as
data alone, and are shown as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from markupsafe import Markup

from prunegate.report.render import environment
from prunegate.report.speech import Speech, speech
from prunegate.text.escape import visible
from prunegate.text.languages import ENGLISH

UNSURE_KEY = "u"
EMBEDDED = 24_000_000
"""Bytes of pictures that are put into the page itself; more lie in a folder beside it."""
PICTURES = "pictures"
_KEYED = 9


@dataclass(frozen=True, kw_only=True)
class PageRow:
    """One row to label."""

    cells: tuple[str, ...]
    """Id and slicing values, as the list has them."""
    picture: bytes | None = None
    """A JPEG of it."""
    text: str | None = None
    """What it says."""


@dataclass(frozen=True, kw_only=True)
class LabelPage:
    """What a page to label in shows."""

    title: str
    frame: str
    """Name of the list: what was said of it is kept under this name."""
    file: str
    """Name of the file that it gives back."""
    columns: tuple[str, ...]
    """Of the id and the slicing values."""
    label: str
    """The column of labels."""
    answers: tuple[tuple[str, str], ...]
    """Labels as the file has them, and as people are shown them."""
    unsure: str
    """What the file says where somebody could not tell."""
    rows: tuple[PageRow, ...]
    language: str = ENGLISH
    """As the policy's report has it."""


_SCRIPTED = (
    *("done", "place", "told", "told_unsure", "told_save"),
    *("kept", "not_kept", "picture", "nothing"),
)
"""Messages that the script says."""


def render_label_page(page: LabelPage) -> dict[str, bytes]:
    """The page and the pictures beside it, by file name."""
    pictures = [row.picture for row in page.rows if row.picture is not None]
    beside = sum(map(len, pictures)) > EMBEDDED
    files: dict[str, bytes] = {}
    rows = [_row(place, row, files, beside=beside) for place, row in enumerate(page.rows)]
    own = speech(page.language)
    styles, script = _own("label.css"), _own("label.js")
    document = {
        "frame": page.frame,
        "file": page.file,
        "columns": page.columns,
        "label": page.label,
        "answers": _answers(page, own),
        "rows": rows,
        "words": {name: own.messages[f"labelling.{name}"] for name in _SCRIPTED},
    }
    html = (
        environment()
        .get_template("label.html.j2")
        .render(
            say=own.say,
            lang=own.language,
            title=visible(page.title),
            rows=str(len(rows)),
            why=_why(own),
            file=page.file,
            styles=Markup(styles),  # noqa: S704  # our own file
            script=Markup(script),  # noqa: S704  # as above
            styles_digest=_digest(styles),
            script_digest=_digest(script),
            pictures_from="'self' file:" if beside else "data:",
            data=_inert(document),
        )
    )
    return {"label.html": html.encode(), **files}


def _row(place: int, row: PageRow, files: dict[str, bytes], *, beside: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"cells": row.cells, "shown": [visible(cell) for cell in row.cells]}
    if row.picture is not None and beside:
        found["picture"] = name = f"{PICTURES}/{place + 1:05d}.jpg"
        files[name] = row.picture
    elif row.picture is not None:
        found["picture"] = f"data:image/jpeg;base64,{base64.b64encode(row.picture).decode()}"
    elif row.text is not None:
        found["text"] = "\n".join(map(visible, row.text.splitlines()))
    return found


def _why(own: Speech) -> list[dict[str, Any]]:
    """What labelling is for, with what is pressed or typed apart from what is said."""
    typed = {"unsure": "b", "gate": "code", "label": "code"}
    shown = {
        "unsure": own.say("labelling.unsure").lower(),
        "gate": "prunegate gate",
        "label": "prunegate label",
    }
    tags = {text: typed[name] for name, text in shown.items()}
    parts = own.pieces("labelling.why", shown)
    return [{"text": p.text, "code": p.code, "tag": tags.get(p.text, "")} for p in parts]


def _answers(page: LabelPage, own: Speech) -> Sequence[Mapping[str, Any]]:
    """Every label with its key, the first nine 1 to 9, and ``unsure`` after them."""
    found = [
        {"value": value, "shown": visible(shown), "key": str(place) if place <= _KEYED else ""}
        for place, (value, shown) in enumerate(page.answers, start=1)
    ]
    return [
        *found,
        {
            "value": page.unsure,
            "shown": own.say("labelling.unsure"),
            "key": UNSURE_KEY,
            "unsure": True,
        },
    ]


def _inert(document: Mapping[str, Any]) -> Markup:
    """JSON that cannot end its element: no ``<``, ``>`` or ``&`` is left in it."""
    text = json.dumps(document)
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704  # escaped just now


def _own(name: str) -> str:
    return (resources.files("prunegate.report") / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
