"""Charts are drawn where their failure cannot harm, and a page without them says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from prunegate.io.worker_process import WorkerError
from prunegate.report import drawing, render, svg
from prunegate.report.drawing import DrawingProcess

pytestmark = pytest.mark.slow

READ = "import os; sys.stdin.buffer.readline(); "
WRONG = {
    "silence": "",
    "an abort, as the engine ends without memory": "os.abort()",
    "an exit that looks well": "sys.exit(0)",
    "garbage": "print('<svg/>', flush=True)",
    "another kind of JSON": "print('[1]', flush=True)",
    "no end": "import time; time.sleep(60)",
}


@pytest.mark.parametrize("case", WRONG)
def test_whatever_is_no_picture_is_an_error(case: str) -> None:
    process = DrawingProcess(program=READ + WRONG[case], wait_s=1.0)
    with pytest.raises(WorkerError):
        process.draw("{}")
    assert process.ended


def test_a_page_without_its_charts_says_which_and_what_they_show(
    records: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: str) -> str:
        return DrawingProcess(program=READ + "os.abort()").draw("{}")

    monkeypatch.setattr(svg, "drawn_svg", crash)
    page = render(records.rejected(), digest="0" * 64, pictures={})
    assert 'class="chart"' not in page
    assert page.count('class="undrawn"') > 1
    assert "“Cost per month of both models” could not be drawn where this page was made" in page
    with pytest.raises(WorkerError):
        render(records.rejected(), digest="0" * 64, pictures={}, charts=True)


def test_where_memory_is_short_the_error_says_what_to_allow() -> None:
    program = (
        "import resource, sys, types\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "package = sys.modules['prunegate.report'] = types.ModuleType('prunegate.report')\n"
        f"package.__path__ = [{str(Path(drawing.__file__).parent)!r}]\n"  # not what builds charts
        "from prunegate.io.worker_process import WorkerError\n"
        "from prunegate.report import drawing\n"
        'try: drawing.drawn_svg(\'{"mark": "point"}\')\n'
        "except WorkerError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "charts cannot be drawn here" in done.stdout
    assert "ulimit -v" in done.stdout


def test_one_process_draws_every_picture_and_may_be_started_before() -> None:
    drawing.begin_drawing()
    begun = drawing._started()
    specification = '{"data": {"values": [{"a": %d}]}, "mark": "point"}'
    first, second = (drawing.drawn_svg(specification % n) for n in (1, 2))
    assert first.startswith("<svg")
    assert second.startswith("<svg")
    assert drawing._started() is begun
    begun.end()
    drawing.begin_drawing()
    assert not drawing._started().ended


def test_where_none_can_be_started_beginning_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> DrawingProcess:
        raise WorkerError("refused")

    monkeypatch.setattr(drawing, "_started", refused)
    drawing.begin_drawing()
    with pytest.raises(WorkerError, match="charts cannot be drawn here: refused"):
        drawing.drawn_svg('{"mark": "rule"}')
