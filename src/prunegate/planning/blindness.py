"""Blindness: whether what labellers get to see of rows gives their labels away.

Ids and the places of pictures are often paths, and folders are often called as classes are
(``nsfw/0001.png``), or were filled by a model. A word of such a name tells where it is a label of
the task, or where rows that have it are mostly decided otherwise than the rest.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

ASSOCIATED = 0.5
"""Correlation (phi) of a word with a decision from which it says too much."""
_CHI2 = 15.0
"""Chi-square with one degree of freedom that chance alone reaches once in ten thousand words."""
_WORD = re.compile(r"[^\W_]+")


def telling_words(
    names: Mapping[str, Collection[str]], decisions: Mapping[str, str], labels: Collection[str]
) -> tuple[str, ...]:
    """Words by which names of rows give labels away, in alphabetical order.

    Args:
        names: what is seen of each row, by id.
        decisions: a model's decision on each row, by id.
        labels: as they are spelled.

    A word that is in all names, or a number, tells nothing.

    >>> telling_words({"a": ["nsfw/1.png"], "b": ["ok/2.png"]}, {"a": "1", "b": "0"}, ["NSFW", "0"])
    ('nsfw',)
    """
    rows: dict[str, set[str]] = defaultdict(set)
    for key, seen in names.items():
        for word in {word for name in seen for word in _WORD.findall(name.casefold())}:
            if not word.isdigit():
                rows[word].add(key)
    known = {label.casefold() for label in labels}
    made = Counter(decisions[key] for key in names)
    return tuple(
        word
        for word, having in sorted(rows.items())
        if len(having) < len(names) and (word in known or _associated(having, decisions, made))
    )


def _associated(having: Collection[str], decisions: Mapping[str, str], made: Counter[str]) -> bool:
    """Whether rows that have a word are mostly decided otherwise than the rest."""
    there = Counter(decisions[key] for key in having)
    n, m = made.total(), len(having)
    for decision, rows in made.items():
        spread = math.sqrt(m * (n - m) * rows * (n - rows))
        phi = (n * there[decision] - m * rows) / spread if spread else 0.0
        if abs(phi) >= ASSOCIATED and n * phi**2 >= _CHI2:
            return True
    return False
