"""Forest panels: the right rows, on the right scale, and a picture that is only a picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import ModuleType

import pytest

from prunegate.report.forest import MOST_ROWS, panels
from prunegate.report.forest_chart import forest_chart
from prunegate.report.svg import COLOURS, CONTROL, SHAPES, drawn_chart


def tree(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314  # our own drawing


def test_one_panel_for_each_metric_with_a_change_limit(records: ModuleType) -> None:
    (recall, precision), _ = panels(records.rejected())
    assert (recall.title, precision.title) == ("Recall", "Precision")
    broken_first = ["overall", "video", "ugc", "story", "display"]
    assert [row.label for row in recall.rows] == broken_first
    assert recall.key == "content_type"


def test_shares_are_drawn_in_points(records: ModuleType) -> None:
    video = panels(records.rejected())[0][0].rows[1]
    assert video.difference == pytest.approx(-7.0)
    assert [margin.at for margin in video.lines] == [-2.0]
    assert video.control == pytest.approx(100 * (0.8539 - 1069 / 1200))


def test_labels_carry_their_key_where_slices_differ_in_it(records: ModuleType) -> None:
    record = records.rejected()
    other = replace(record.slices[1], slicing="region", name="region=eu")
    finding = replace(record.findings[1], slice="region=eu")
    mixed = replace(
        record, slices=(record.slices[0], other, *record.slices[2:]),
        findings=(record.findings[0], finding, *record.findings[2:]),
    )  # fmt: skip
    panel = panels(mixed)[0][0]
    assert panel.key == ""
    assert {"region=eu", "content_type=video"} <= {row.label for row in panel.rows}


def test_the_most_serious_slices_are_drawn_when_there_are_too_many(records: ModuleType) -> None:
    first = records.rejected().findings[1]
    many = tuple(replace(first, slice=f"s{n}", status="pass") for n in range(MOST_ROWS + 20))
    bad = replace(first, slice="bad", status="fail")
    (panel,), _ = panels(replace(records.rejected(), findings=(*many, bad), slices=()))
    assert len(panel.rows) == MOST_ROWS
    assert panel.hidden == 21
    assert panel.rows[0].label == "bad"


def test_no_panel_for_levels_and_figures(records: ModuleType) -> None:
    record = records.rejected()
    kept = tuple(f for f in record.findings if f.check in ("at_least", "max_ratio"))
    assert panels(replace(record, findings=kept)) == ((), 0)


def test_every_status_has_its_own_shape_and_colour() -> None:
    assert len(set(SHAPES.values())) == len(SHAPES) == len(set(COLOURS.values())) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rejected", "approved", "hostile", "undefined"])
@pytest.mark.usefixtures("vega_lite")
def test_the_picture_is_inert_and_scales(records: ModuleType, name: str) -> None:
    for number, panel in enumerate(panels(getattr(records, name)())[0], start=1):
        drawn = str(drawn_chart(forest_chart(panel, number)))
        root = tree(drawn)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {
            "svg",
            "title",
            "desc",
            "g",
            "path",
            "rect",
            "line",
            "text",
            "defs",
            "clipPath",
        }
        assert root.attrib["viewBox"].split()[2:] == [root.attrib["width"], root.attrib["height"]]
        assert re.fullmatch(r"0 0 358 \d+", root.attrib["viewBox"])
        assert root.attrib["role"] == "img"
        assert not any(
            key.startswith("on") or "href" in key for e in root.iter() for key in e.attrib
        )
        assert "font-family" not in drawn


@pytest.mark.slow
def test_the_picture_shows_every_slice_once(records: ModuleType) -> None:
    panel = panels(records.rejected())[0][0]
    texts = [e.text for e in tree(str(drawn_chart(forest_chart(panel, 1)))).iter() if e.text]
    for row in panel.rows:
        assert texts.count(row.label) == 1


@pytest.mark.slow
def test_words_in_a_label_that_look_like_markup_stay_words(records: ModuleType) -> None:
    panel = panels(records.rejected())[0][0]
    evil = '"><script>href="x" id="y"'
    rows = (replace(panel.rows[0], label=evil), *panel.rows[1:])
    root = tree(str(drawn_chart(forest_chart(replace(panel, rows=rows), 1))))
    assert evil in [element.text for element in root.iter()]


def test_an_undefined_slice_is_named_and_said_to_be_undefined(records: ModuleType) -> None:
    drawn = str(drawn_chart(forest_chart(panels(records.undefined())[0][0], 1)))
    assert "video" in drawn
    assert "not defined" in drawn


@pytest.mark.slow
def test_the_control_is_a_hollow_mark_of_its_own(records: ModuleType) -> None:
    panel = panels(records.rejected())[0][0]
    without = replace(panel, rows=tuple(replace(row, control=None) for row in panel.rows))
    marks = [
        [e for e in tree(str(drawn)).iter() if e.attrib.get("stroke") == CONTROL]
        for drawn in (drawn_chart(forest_chart(p, 1)) for p in (panel, without))
    ]
    assert [len(found) for found in marks] == [5, 0]
    assert {e.attrib.get("fill", "none") for e in marks[0]} <= {"none", "transparent"}
