"""Laws of rounding: what was rounded from exact numbers is right; what is further off is not."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from prunegate.claims import Claims, check_claims
from prunegate.policy.claims import Stated

EXACT = st.decimals(min_value="0.001", max_value="999999", places=6)
SHARES = st.decimals(min_value="0", max_value="1", places=6)
PRICES = st.decimals(min_value="0.000001", max_value="10", places=6)
DIGITS = st.integers(0, 6)
ROUNDINGS = st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN])


@st.composite
def rounding(draw: st.DrawFn) -> Any:
    """A way to write numbers: to so many decimals, halves one way or the other."""

    def write(value: Decimal | Fraction, unit: str = "") -> str:
        number = value if isinstance(value, Decimal) else _decimal(value)
        step = Decimal(1).scaleb(-draw(DIGITS))
        return f"{number.quantize(step, draw(ROUNDINGS)):f}{unit}"

    return write


def _decimal(value: Fraction) -> Decimal:
    """To far more digits than are ever written, so that halves stay on their side."""
    return Decimal(round(value * 10**20)).scaleb(-20)


def checked(document: dict[str, Any]) -> Claims:
    return check_claims(Stated.model_validate(document))


@given(before=EXACT, after=EXACT, write=rounding(), scale=st.sampled_from([" M", " k", " B"]))
def test_rounded_quotients_are_never_contradicted(
    before: Decimal, after: Decimal, write: Any, scale: str
) -> None:
    ratio = Fraction(after) / Fraction(before)
    pair = {
        "before": write(before, scale),
        "after": write(after, scale),
        "change": write(100 * (ratio - 1), " %"),
        "times": write(1 / ratio, "x"),
    }
    assume(float(pair["times"].rstrip("x")) > 0)
    assert checked({"parameters": pair}).contradictions == ()


@given(before=SHARES, after=SHARES, write=rounding())
def test_points_rounded_each_by_itself_are_never_contradicted(
    before: Decimal, after: Decimal, write: Any
) -> None:
    metric = {
        "name": "recall",
        "before": write(100 * before, " %"),
        "after": write(100 * after, " %"),
        "change": write(100 * (after - before), " points"),
        "rounded": "each",
    }
    assert checked({"metrics": [metric]}).contradictions == ()


@given(
    before=SHARES,
    after=SHARES,
    digits=DIGITS,
    fewer=DIGITS,
    off=st.integers(-50, 50),
)
def test_points_are_taken_from_shares_as_they_are_written(
    before: Decimal, after: Decimal, digits: int, fewer: int, off: int
) -> None:
    """Right if it is their difference, rounded to as many digits or fewer; else contradicted."""
    coarse = min(digits, fewer)
    old, new = (_places(100 * value, digits) for value in (before, after))
    change = _places(new - old, coarse)
    stated = change + off * Decimal(1).scaleb(-coarse)
    metric = {
        "name": "recall",
        "before": f"{old:f} %",
        "after": f"{new:f} %",
        "change": f"{stated:+f} points",
    }
    wrong = checked({"metrics": [metric]}).contradictions
    half = Decimal("0.5").scaleb(-coarse)
    assert bool(wrong) == (abs(stated - (new - old)) > half)


def _places(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0  # no minus zero


@given(
    before=PRICES, after=PRICES, volume=st.integers(1, 10**9), write=rounding(), off=st.booleans()
)
def test_bills_are_right_within_their_digits_and_wrong_beyond(
    before: Decimal, after: Decimal, volume: int, write: Any, off: bool
) -> None:
    price = {"before": "$" + write(before), "after": "$" + write(after)}
    month = {
        "volume": str(volume),
        "before": "$" + write(volume * Fraction(before)),
        "after": "$" + write(volume * Fraction(after)),
    }
    document = {"price": price, "monthly": [month]}
    assert checked(document).contradictions == ()
    # beyond all that the digits leave open: half a unit of the price's last digit a time, and more
    places = [len(text.partition(".")[2]) for text in (price["before"], month["before"])]
    room = volume * Fraction(1, 2 * 10 ** places[0]) + Fraction(1, 2 * 10 ** places[1])
    stated = Fraction(month["before"].lstrip("$")) + 2 * room + Fraction(1, 10 ** places[1])
    wrong = {**month, "before": f"${_decimal(stated):.{places[1] + 8}f}"}
    found = checked({"price": price, "monthly": [wrong]}).contradictions
    assert [one.figure for one in found] == [f"monthly at {volume:,}: before"]


@given(
    before=st.integers(1, 10**6),
    removed=st.integers(0, 10**6),
    off=st.integers(-3, 3),
)
def test_whole_counts_are_exact(before: int, removed: int, off: int) -> None:
    after = before - removed + off
    assume(after >= 0)
    stated = {"before": str(before), "after": str(after), "removed": str(removed)}
    for name in ("heads", "neurons", "layers"):
        assert bool(checked({name: stated}).contradictions) == (off != 0)


@given(kept=st.integers(1, 144), neurons=st.integers(1, 36864), digits=st.integers(1, 8))
def test_parameters_of_a_pruned_vit_are_right_at_any_rounding(
    kept: int, neurons: int, digits: int
) -> None:
    """Counted here by the paper's formula, layer by layer."""
    width, tokens = 768, 197
    embedding = 768 * width + width + (tokens + 1) * width
    each_layer = 4 * width + 2 * width  # two norms, two output biases
    heads = kept * (4 * width * 64 + 3 * 64)
    total = embedding + 12 * each_layer + heads + neurons * (2 * width + 1) + 2 * width
    total += 1000 * (width + 1)
    text = f"{Decimal(total).scaleb(-6):.{min(digits, 6)}f} M"
    document = {
        "model": {"architecture": "ViT-B/16", "labels": 1000},
        "heads": {"after": str(kept)},
        "neurons": {"after": str(neurons)},
        "parameters": {"after": text},
    }
    assert checked(document).contradictions == ()
    wrong = {**document, "parameters": {"after": str(total + 1)}}
    assert len(checked(wrong).contradictions) == 1
