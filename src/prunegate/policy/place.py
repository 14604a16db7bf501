"""Places: the folders and files that a policy names, and what others may read of them.

A policy is read where its files lie; a record of it travels. So what leaves the machine names a
place inside the policy's folder as the policy does, and any other place by its last name alone:
no home folder, no user, no address of a store.
"""

from __future__ import annotations

import posixpath
import re
from typing import Annotated, Any

from pydantic import PlainSerializer, SerializationInfo

from prunegate.policy.section import Text

PUBLIC: dict[str, Any] = {"places": "public"}
"""Context of ``model_dump`` for what leaves the machine."""
ELSEWHERE = "…"
"""Stands for the folders of a place that is not inside the policy's folder."""
_ROOT = re.compile(r"[/\\]|~[^/\\]*|[A-Za-z][A-Za-z0-9+.-]*:(?://[^/]*|[/\\])")
"""What a place begins with that is not relative: /, ~kim, C:\\, s3://bucket."""


def public_place(place: str) -> str:
    r"""A place as a record names it; of a public name it is the same name again.

    >>> public_place("data/rows.csv"), public_place("/home/kim/data/rows.csv")
    ('data/rows.csv', '…/rows.csv')
    >>> public_place("../models/vit"), public_place("C:\\Users\\kim\\vit"), public_place("/")
    ('…/vit', '…/vit', '…')
    """
    root = _ROOT.match(place)
    rest = place[root.end() :].partition("?")[0] if root else place
    names = posixpath.normpath(rest.replace("\\", "/")).split("/")
    if root is None and names[0] != "..":
        return place
    last = names[-1]
    return ELSEWHERE if last in ("", ".", "..") else f"{ELSEWHERE}/{last}"


def _written(place: str, info: SerializationInfo) -> str:
    return public_place(place) if info.context == PUBLIC else place


Place = Annotated[Text, PlainSerializer(_written, return_type=str)]
"""A folder or file, relative to the policy file."""
