"""A page whose charts are drawn ahead is the same page, and none is left for later."""

from __future__ import annotations

from importlib import import_module
from threading import Event
from types import ModuleType
from typing import Any

import pytest

from prunegate.audit.canonical import canonical_bytes
from prunegate.io.worker_process import WorkerError
from prunegate.report import render, svg
from prunegate.report.render import begun

RENDER: Any = import_module("prunegate.report.render")
EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


@pytest.mark.parametrize("name", ["rejected", "approved", "undefined"])
def test_every_chart_of_the_page_is_drawn_while_the_block_is_at_something_else(
    records: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = getattr(records, name)()
    ahead: list[str] = []
    on_page: list[str] = []

    def drawing(into: list[str]) -> Any:
        return lambda specification: into.append(specification) or EMPTY

    monkeypatch.setattr(RENDER, "drawn_svg", drawing(ahead))
    monkeypatch.setattr(svg, "drawn_svg", drawing(on_page))
    given: Any = {"digest": "0" * 64, "pictures": {}, "content": canonical_bytes(record)}
    with begun(record, **given) as page:
        assert on_page == []
    assert page() == render(record, **given)
    assert ahead
    assert on_page == [*ahead, *ahead]


def test_where_nothing_can_be_drawn_the_page_says_so(
    records: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = Event()

    def crash(_: str) -> str:
        tried.set()
        raise WorkerError("no memory")

    monkeypatch.setattr(RENDER, "drawn_svg", crash)
    monkeypatch.setattr(svg, "drawn_svg", crash)
    with begun(records.rejected(), digest="0" * 64, pictures={}, content=b"{}") as page:
        assert tried.wait(60)
    assert page().count('class="undrawn"') > 1
