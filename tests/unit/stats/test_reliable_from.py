"""From how many rows on a method claims anything: what the statistics page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prunegate.evidence.weighted_rates import LEAST_EFFECTIVE
from prunegate.stats import clusters, delong, pulled
from prunegate.stats.reliable import RELIABLE_ROWS

PAGE = Path(__file__).parents[3] / "docs" / "statistics.md"
SAID = {
    r"Fewer than (\d+) rows are inconclusive": RELIABLE_ROWS,
    r"Fewer than (\d+) positives or negatives \(or what groups": delong.RELIABLE,
    r"Fewer than (\d+) positives or negatives \(300": pulled.RELIABLE["average_precision"],
    r"Fewer than 100 positives or negatives \((\d+) rows": pulled.RELIABLE["rank_correlation"],
    r"Where fewer than (\d+) groups differ": clusters.ENOUGH_GROUPS,
    r"A value with fewer than (\d+) rows": LEAST_EFFECTIVE,
}


@pytest.mark.parametrize("words", SAID)
def test_the_page_says_from_where_on_a_method_claims_anything(words: str) -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert re.findall(words, text) == [str(SAID[words])]
