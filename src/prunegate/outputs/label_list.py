"""Label list: the files that labellers and their tools get, and the frame that stays.

Labelling is blind: no score and no decision is in them, and the order says nothing either.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from prunegate.audit.canonical import plain_json
from prunegate.errors import InputError
from prunegate.io.atomic import write_folder
from prunegate.planning.label_draw import DrawnLabels
from prunegate.policy.schema import Policy

TO_LABEL, TASKS, FRAME = "to-label.csv", "label-studio.json", "labelling.json"


def require_empty(out: Path) -> None:
    """Refuse a folder that holds something, before anything takes long.

    Raises:
        InputError: it does, or it is a file.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not empty; name another folder with -o")


def write_list(policy: Policy, drawn: DrawnLabels, out: Path) -> None:
    """Write the list, all of it or nothing.

    Raises:
        InputError: it cannot be written.
    """
    frame = json.dumps(plain_json(drawn.frame), indent=1, sort_keys=True) + "\n"
    tasks = [{"data": dict(row)} for row in drawn.to_label]
    content = {
        TO_LABEL: _csv(policy, drawn).encode(),
        TASKS: (json.dumps(tasks, indent=1) + "\n").encode(),
        FRAME: frame.encode(),
    }
    try:
        write_folder(out, content)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from error


def _csv(policy: Policy, drawn: DrawnLabels) -> str:
    label = policy.columns.label
    names = (policy.columns.id, *policy.keys)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*names, label))
    writer.writerows((*(row[name] for name in names), "") for row in drawn.to_label)
    return text.getvalue()
