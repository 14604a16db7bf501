"""Check: every stated figure against the others, the architecture and what was measured.

A figure that nothing can be held against is listed as not checked: silence is no confirmation.
"""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.claims.architecture import architecture, geometry
from prunegate.claims.changes import changes, pairs
from prunegate.claims.checked import CheckedFigure, Claims
from prunegate.claims.checked_counts import check_counts, given
from prunegate.claims.measured import Measured, against_measured
from prunegate.claims.months import month_name, months
from prunegate.policy.claims import Stated

UNCHECKED = "nothing else that is stated or known says what it should be"


def check_claims(stated: Stated, measured: Measured | None = None) -> Claims:
    """Check stated figures.

    Args:
        stated: the figures.
        measured: what a gate measured of the same models, where it did.

    Raises:
        ModelError: the stated model's config has a size that cannot be.
        UnsupportedError: the stated model is of a family whose arithmetic is not known.
    """
    sizes = geometry(stated.model) if stated.model is not None else None
    found = [
        *changes(stated),
        *check_counts(stated, sizes.layers if sizes is not None else None),
        *months(stated),
        *(architecture(stated, sizes) if sizes is not None else ()),
        *(against_measured(stated, measured) if measured is not None else ()),
    ]
    covered = {name for one in found for name in (one.figure, *one.uses)}
    every = dict(stated_figures(stated))
    found += [
        CheckedFigure(figure=name, stated=text, status="not checked", basis="none", sum=UNCHECKED)
        for name, text in every.items()
        if name not in covered
    ]
    order = {name: place for place, name in enumerate(every)}
    return Claims(about=stated.about, checks=tuple(sorted(found, key=lambda c: order[c.figure])))


def stated_figures(stated: Stated) -> Iterator[tuple[str, str]]:
    """Every stated figure by name, with what is written, in the order of a claims file."""
    for name, pair in pairs(stated):
        yield from ((f"{name}: {key}", figure.text) for key, figure in pair.figures.items())
    for name in ("heads", "neurons", "layers"):
        section = getattr(stated, name)
        yield from ((f"{name}: {key}", getattr(section, key)) for key in given(section))
    for month in stated.monthly:
        amounts = ((key, getattr(month, key)) for key in ("volume", "before", "after", "saving"))
        yield from ((f"{month_name(month)}: {key}", text) for key, text in amounts if text)
