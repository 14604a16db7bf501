"""How the candidate was found, said in another language: from phrases and typed figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import parse_record
from prunegate.audit.record import DecisionRecord
from prunegate.audit.search_record import NotMade, Search, SearchAttempt
from prunegate.compress.removals import in_cycle, removals
from prunegate.compress.select import select_survivors
from prunegate.errors import AmountError
from prunegate.policy.steps import Keep, ShareBelow
from prunegate.report import render
from prunegate.report.search import SearchView, search_section
from prunegate.report.speech import speech, speech_of
from prunegate.report.units import Units
from prunegate.text.languages import ENGLISH, languages
from prunegate.text.said import said

OTHERS = [language for language in languages() if language != ENGLISH]
EVEN = np.array([0.25, 0.25, 0.25, 0.25])
REFUSED: tuple[Callable[[], object], ...] = (
    lambda: removals(0.9, [1000, 1000], min_per_layer=500),
    lambda: removals(0.9, [8], scope="per_layer", min_per_layer=2),
    lambda: removals(Keep(keep=9), [8]),
    lambda: removals(Keep(keep=8), [8]),
    lambda: removals(0.01, [8]),
    lambda: in_cycle([1], 1, 3),
    lambda: select_survivors([EVEN], ShareBelow(share_below=0.2)),
    lambda: select_survivors([EVEN], ShareBelow(share_below=0.3)),
)


def told(refused: Callable[[], object]) -> str:
    with pytest.raises(AmountError) as found:
        refused()
    assert str(found.value) == found.value.told
    return found.value.told


def attempt(number: int, reason: str = "") -> SearchAttempt:
    return SearchAttempt(
        number=number, amounts=(0.25 * number,), criterion="taylor", objective=1000.0 / number,
        parameters=1000, model_bytes=4000, outcome="reject" if reason else "approve",
        loss=0.0125 * number, loss_metric="recall", loss_class=None,
        loss_slice="content_type=video", margin_used=0.6 * number, reason=reason,
    )  # fmt: skip


def searched(records: ModuleType, language: str, **given: object) -> DecisionRecord:
    """A record of a search, as it is read back."""
    search = Search(
        objective="parameters", baseline=1000.0, rows=12_000, confidence=0.999,
        varied=(said("search.varied", what="heads", step=1),), chosen=1, control=None,
        attempts=(attempt(1), attempt(2, "Recall fell too far.")),
        **{"next_up": 2, **given},  # type: ignore[arg-type]
    )  # fmt: skip
    whole = replace(records.approved(), search=search)
    document = {**whole.policy.document, "report": {"language": language}}
    whole = replace(whole, policy=replace(whole.policy, document=document))
    return parse_record(canonical_bytes(whole), "record").record


def view(record: DecisionRecord) -> SearchView:
    shown = search_section(record, Units(speech=speech_of(record)))
    assert shown is not None
    return shown


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("refused", REFUSED)
def test_why_an_attempt_cannot_be_made_is_said_in_every_language(
    records: ModuleType, refused: Callable[[], object], language: str
) -> None:
    reason = told(refused)
    unmade = NotMade(number=3, amounts=(0.9,), criterion="taylor", beyond=True, reason=reason)
    record = searched(records, language, next_up=None, not_made=(unmade,))
    own = speech_of(record).recorded(reason)
    assert own not in (None, reason)
    assert view(record).reason == own
    page = render(record, digest="0" * 64, pictures={}, charts=False)
    assert reason not in page[page.index('aria-labelledby="search"') :].partition("</section>")[0]


@pytest.mark.parametrize("language", OTHERS)
def test_what_varied_and_what_the_next_step_lost_are_said(
    records: ModuleType, language: str
) -> None:
    shown = view(searched(records, language))
    assert shown.varied == ("Köpfe (Schritt 1)",) if language == "de" else shown.varied
    assert speech(language).number("2.5") in shown.reason
    assert "Recall fell" not in shown.reason
    assert view(searched(records, ENGLISH)).varied == ("heads (step 1)",)


@pytest.mark.parametrize("language", OTHERS)
def test_figures_of_the_machine_have_the_marks_of_the_language(
    records: ModuleType, language: str
) -> None:
    record = searched(records, language)
    busy = replace(records.measurements(), environment={"load_before": "12.56", "torch": "2.13"})
    page = render(replace(record, measurements=busy), digest="0" * 64, pictures={}, charts=False)
    own = speech(language).number("12.56")
    assert f">{own}<" in page
    assert ">2.13<" in page
