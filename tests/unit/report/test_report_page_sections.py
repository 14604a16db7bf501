"""Sections from outside stand where they ask to stand, and ours stay in their order."""

from __future__ import annotations

import pytest

from prunegate.errors import InternalError
from prunegate.registry import Registry
from prunegate.report import sections
from prunegate.report.sections import SECTIONS, PageSection, in_reading_order


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> Registry[PageSection]:
    """A registry of the test's own, with our sections."""
    registry = Registry("section", lambda section: section.name, SECTIONS.values())
    monkeypatch.setattr(sections, "SECTIONS", registry)
    return registry


def section(name: str, after: str = "") -> PageSection:
    return PageSection(name=name, shows=lambda _: name, template="x.html.j2", after=after)


def test_sections_stand_where_they_ask_to_stand(own: Registry[PageSection]) -> None:
    ours = tuple(own)
    for name, after in (("one", "rules"), ("two", "one"), ("last", "")):
        own.add(section(name, after))
    found = tuple(one.name for one in in_reading_order())
    assert tuple(name for name in found if name in ours) == ours
    place = found.index("rules")
    assert found[place : place + 3] == ("rules", "one", "two")
    assert found[-1] == "last"
    assert own.added == ("one", "two", "last")


def test_a_section_after_none_is_our_own_mistake(own: Registry[PageSection]) -> None:
    own.add(section("lost", after="nowhere"))
    with pytest.raises(InternalError, match=r"follow 'nowhere', which there is not.*decision"):
        in_reading_order()
