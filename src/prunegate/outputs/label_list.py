"""Label list: the files that labellers and their tools get, and the frame that stays.

Labelling is blind: no score and no decision is in them, and the order says nothing either.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from prunegate.counting.labelled_part import read_frame, unsure_words
from prunegate.counting.labelling import LabellingFrame, frame_bytes
from prunegate.data.labelled.contents import RowContents
from prunegate.data.labelled.thumbnails import picture_to_label
from prunegate.errors import InputError
from prunegate.io.atomic import write_folder
from prunegate.planning.blindness import telling_words
from prunegate.planning.label_draw import DrawnLabels
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.report.label_page import LabelPage, PageRow, render_label_page

TO_LABEL, TASKS, FRAME = "to-label.csv", "label-studio.json", "labelling.json"
NO_CONTENTS = RowContents(pictures={}, texts={})


def require_empty(out: Path) -> None:
    """Refuse a folder that holds something, before anything takes long.

    Raises:
        InputError: it does, or it is a file.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not empty; name another folder with -o")


def last_round(out: Path) -> tuple[LabellingFrame, Path, tuple[Path, ...]]:
    """The frame of the last round in a folder, where the next one belongs, and the lists so far.

    Raises:
        InputError: there is none, or what comes after it is not empty.
    """
    if not (out / FRAME).is_file():
        raise InputError(f"{out}: holds no {FRAME}; give the folder of the first round with -o")
    places, number = [out], 1
    while (out / f"round-{number + 1}" / FRAME).is_file():
        number += 1
        places.append(out / f"round-{number}")
    place = places[-1]
    frame, following = read_frame(place / FRAME), out / f"round-{number + 1}"
    if frame.round != number:
        raise InputError(
            f"{place / FRAME}: is for round {frame.round}, not {number}; give the folder of the "
            "first round with -o"
        )
    require_empty(following)
    return frame, following, tuple(one / TO_LABEL for one in places)


def write_list(
    policy: Policy, drawn: DrawnLabels, out: Path, contents: RowContents = NO_CONTENTS
) -> None:
    """Write the list and the page to label in, all of it or nothing.

    Raises:
        InputError: it cannot be written, or a picture cannot be read.
    """
    page = _page(policy, drawn, contents)
    tasks = [{"data": _task(policy, row, contents)} for row in drawn.to_label]
    content = {
        TO_LABEL: _csv(policy, drawn).encode(),
        TASKS: (json.dumps(tasks, indent=1) + "\n").encode(),
        FRAME: frame_bytes(drawn.frame),
        **render_label_page(page),
    }
    try:
        write_folder(out, content)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from error


def telling_names(policy: Policy, drawn: DrawnLabels, contents: RowContents) -> tuple[str, ...]:
    """Words by which ids, or the places of pictures, give labels away to whoever labels."""
    ids = [row[policy.columns.id] for row in drawn.to_label]
    places = {key: [str(path)] for key, path in contents.pictures.items()}
    names = {key: [key, *places.get(key, ())] for key in ids}
    labels = {word for answer in _answers(policy, drawn) for word in answer}
    return telling_words(names, drawn.decisions, labels)


def _task(policy: Policy, row: Mapping[str, str], contents: RowContents) -> dict[str, str]:
    """What Label Studio shows of a row: what the page shows, a picture by where it lies."""
    names, key = policy.data.columns, row[policy.columns.id]
    shown = {names.text: contents.texts.get(key), names.image: contents.pictures.get(key)}
    found = {name: str(value) for name, value in shown.items() if value is not None}
    return {**found, **row}


def _kept_under(frame: LabellingFrame, answers: tuple[tuple[str, str], ...]) -> str:
    """Name of the list in the browser: drawn again just so, with the same answers, it is the same.

    Which rows had labels already is part of it, because what was said is kept by place.
    """
    again = frame_bytes(replace(frame, created="", version=""))
    return hashlib.sha256(again + json.dumps(answers).encode()).hexdigest()


def _page(policy: Policy, drawn: DrawnLabels, contents: RowContents) -> LabelPage:
    """The page to label in; pictures are made small, without their metadata."""
    key, answers = policy.columns.id, _answers(policy, drawn)
    names = (key, *policy.keys)
    rows = []
    for row in drawn.to_label:
        picture = contents.pictures.get(row[key])
        rows.append(
            PageRow(
                cells=tuple(str(row[name]) for name in names),
                picture=None if picture is None else picture_to_label(picture),
                text=contents.texts.get(row[key]),
            )
        )
    return LabelPage(
        language=policy.report.language,
        title=policy.title or policy.name,
        frame=_kept_under(drawn.frame, answers),
        file=TO_LABEL,
        columns=names,
        label=policy.columns.label,
        answers=answers,
        unsure=unsure_words(policy)[0],
        rows=tuple(rows),
    )


def _answers(policy: Policy, drawn: DrawnLabels) -> tuple[tuple[str, str], ...]:
    """Labels as the list has them, and as people are shown them."""
    shown = policy.labels.get(policy.columns.label, {})
    positive = policy.task.positive
    spelled = [value_text(one) for one in policy.task.classes or drawn.labels]
    if positive is not None:
        first = value_text(positive)
        spelled = [first, *(one for one in spelled if one != first)][:2]
        if len(spelled) == 1:
            spelled.append(_other(positive))
    return tuple((one, shown.get(one, one)) for one in spelled)


def _other(positive: object) -> str:
    """The other label, where the predictions do not show how it is spelled."""
    if isinstance(positive, bool):
        return value_text(not positive)
    if isinstance(positive, str):
        return f"not {positive}"
    return "0" if positive else "1"


def _csv(policy: Policy, drawn: DrawnLabels) -> str:
    label = policy.columns.label
    names = (policy.columns.id, *policy.keys)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*names, label))
    writer.writerows((*(row[name] for name in names), "") for row in drawn.to_label)
    return text.getvalue()
