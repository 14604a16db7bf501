"""Of what rows without a label may make of a limit, what is shown is what holds in every case."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.verdict.test_waivers import finding

from prunegate.verdict.drafts import Draft, least_shown

CASES = st.lists(
    st.tuples(
        st.sampled_from(("pass", "fail", "inconclusive")),
        *[st.none() | st.floats(0, 1)] * 3,
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@given(CASES)
def test_a_limit_holds_or_is_broken_only_where_it_is_in_every_case(
    cases: list[tuple[str, float | None, float | None, float | None, bool]],
) -> None:
    drafts = [
        Draft(
            finding=replace(
                finding(0, status),
                p_value=value,
                p_harm=harm,
                p_loss=loss,
                open_because="one class" if status == "inconclusive" else None,
            ),
            contestable=contestable,
        )
        for status, value, harm, loss, contestable in cases
    ]
    found = least_shown(drafts)
    statuses = {status for status, *_ in cases}
    assert found.finding.status == (statuses.pop() if len(statuses) == 1 else "inconclusive")
    because = {"inconclusive": ("one class", "not shown")}.get(found.finding.status, (None,))
    assert found.finding.open_because in because
    assert found.contestable == all(contestable for *_, contestable in cases)
    for name, place in (("p_value", 1), ("p_harm", 2), ("p_loss", 3)):
        shown = getattr(found.finding, name)
        known = [case[place] for case in cases]
        if name != "p_value" and shown is not None:
            assert shown == max(1.0 if one is None else one for one in known)
