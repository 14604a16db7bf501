"""Billing: how inference is paid for, in one unit, and the terms that hold for the whole bill.

A price may be per inference, per 1,000 tokens (one price, or one of what is read and one of what is
written), per second of computing, each in one piece or by tier, or per hour of whole instances.
Whatever the unit, a discount and a least amount a month may follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Strict, Tag, model_validator

from prunegate.policy.section import Section
from prunegate.text.numbers import as_written

_LEAST = 1e-15


def _of_this_world(price: float) -> float:
    if 0 < price < _LEAST:
        least = as_written(_LEAST)
        raise ValueError(
            f"got {as_written(price)}; a price below {least} is no price: write what is paid"
        )
    return abs(price)  # never minus zero


Price = Annotated[float, Strict(), Field(gt=0, le=1e9), AfterValidator(_of_this_world)]
FreePrice = Annotated[float, Strict(), Field(ge=0, le=1e9), AfterValidator(_of_this_world)]
Amount = Annotated[float, Strict(), Field(ge=0, le=1e12)]


class Prices(Section):
    """Money per unit of use; the candidate's default is scaled by the measured CPU-time ratio."""

    baseline: Price
    """What one unit costs with the baseline."""
    candidate: FreePrice | None = None
    """What it costs with the candidate; absent: measured."""


class TokenPrices(Section):
    """Money per 1,000 tokens, of those that a model reads and of those that it writes."""

    input: Price
    """Of tokens that are read."""
    output: Price
    """Of tokens that are written."""


class TokenPricesByModel(Section):
    """Both prices of each model."""

    baseline: TokenPrices
    """The baseline's."""
    candidate: TokenPrices | None = None
    """The candidate's; absent: the baseline's times the measured CPU-time ratio."""


class TokensByDirection(Section):
    """Tokens that one inference takes, on average."""

    input: Annotated[float, Strict(), Field(gt=0, le=1e9)]
    """Tokens that are read."""
    output: Annotated[float, Strict(), Field(gt=0, le=1e9)]
    """Tokens that are written."""


class TierPrices(Section):
    """Money per unit of use within a tier, which may be free."""

    baseline: FreePrice
    """What one unit costs with the baseline."""
    candidate: FreePrice | None = None
    """What it costs with the candidate; absent: measured."""


TIER_UNITS = ("per_inference", "per_1k_tokens", "per_second")


class Tier(Section):
    """A volume tier: its price holds for the part of a month's use that falls into it."""

    up_to: Annotated[int, Strict(), Field(ge=1, le=10**15)] | None = None
    """Where the tier ends, in inferences (tokens, seconds) a month; only the last has no end."""
    per_inference: TierPrices | None = None
    """Of one inference."""
    per_1k_tokens: TierPrices | None = None
    """Of 1,000 tokens."""
    per_second: TierPrices | None = None
    """Of a second of computing."""

    @model_validator(mode="after")
    def _one_price(self) -> Tier:
        given = [unit for unit in TIER_UNITS if getattr(self, unit) is not None]
        if len(given) != 1:
            got = " and ".join(given) or "none"
            raise ValueError(f"got {got}; give exactly one of {', '.join(TIER_UNITS)}")
        return self

    @property
    def unit(self) -> str:
        """What the price is of."""
        return next(unit for unit in TIER_UNITS if getattr(self, unit) is not None)

    @property
    def prices(self) -> TierPrices:
        """The price of either model."""
        found: TierPrices = getattr(self, self.unit)
        return found


class MachinePrices(Section):
    """Money per unit of a machine's time, where each model runs on a machine of its own kind."""

    baseline: Price
    """Of the baseline's machine."""
    candidate: Price
    """Of the candidate's machine."""


class Seconds(Section):
    """Seconds of computing that one inference is billed."""

    baseline: Annotated[float, Strict(), Field(gt=0, le=1e6)]
    """With the baseline."""
    candidate: Annotated[float, Strict(), Field(gt=0, le=1e6)]
    """With the candidate."""


class Reserved(Section):
    """Instances that were reserved: cheaper by the hour, and paid for whether they work or not."""

    count: Annotated[int, Strict(), Field(ge=1, le=10**6)]
    """How many; what the load takes beyond them is paid on demand."""
    per_hour: FreePrice
    """Of one of them."""
    upfront: Amount = 0.0
    """Paid in advance, for all of them; spread evenly over the term."""
    term_months: Annotated[int, Strict(), Field(ge=1, le=120)] = 12
    """How long the payment in advance lasts."""


class ReservedByModel(Section):
    """Reservations for machines of a model's own kind."""

    baseline: Reserved | None = None
    """For the baseline's machines; absent: none."""
    candidate: Reserved | None = None
    """For the candidate's machines; absent: none."""

    @model_validator(mode="after")
    def _any(self) -> ReservedByModel:
        if self.baseline is None and self.candidate is None:
            raise ValueError("reserves nothing: name baseline, candidate, or remove it")
        return self


def _per_model(value: Any) -> str:
    keys = type(value).model_fields if isinstance(value, Section) else value
    return "models" if isinstance(keys, dict) and {"baseline", "candidate"} & set(keys) else "one"


def _rate(value: Any) -> str:
    return "models" if isinstance(value, dict | Section) else "one"


def _token_prices(value: Any) -> str:
    own = value.get("baseline") if isinstance(value, dict) else getattr(value, "baseline", None)
    return "directions" if isinstance(own, dict | Section) else "one"


class Instance(Section):
    """Whole machines by the hour, as many as the measured throughput asks for."""

    per_hour: Annotated[
        Annotated[Price, Tag("one")] | Annotated[MachinePrices, Tag("models")],
        Discriminator(_rate),
    ]
    """Of one instance, whichever model it runs, or by model; a month has 730 hours."""
    utilisation: Annotated[float, Strict(), Field(ge=0.01, le=1)]
    """Share of the measured throughput that the month's average load may take up: what is left is
    for peaks."""
    minimum: Annotated[int, Strict(), Field(ge=0, le=10**6)] = 1
    """Instances that run whatever the load."""
    max_latency_ms: Annotated[float, Strict(), Field(gt=0, le=1e9)] | None = None
    """The p95 latency above which a model cannot be served at the measured batch."""
    reserved: (
        Annotated[
            Annotated[Reserved, Tag("one")] | Annotated[ReservedByModel, Tag("models")],
            Discriminator(_per_model),
        ]
        | None
    ) = None
    """Reserved instances, whichever model they run, or by model."""

    def hourly(self, role: str) -> float:
        """Price of an instance on demand for a model."""
        price = self.per_hour
        return price if isinstance(price, float) else float(getattr(price, role))

    def reservation(self, role: str) -> Reserved | None:
        """What is reserved for a model."""
        if isinstance(self.reserved, ReservedByModel):
            found: Reserved | None = getattr(self.reserved, role)
            return found
        return self.reserved


_UNITS = ("per_inference", "instance", "tiers", "per_1k_tokens", "per_second")
_BELONGS = {
    "tokens_per_inference": "per_1k_tokens",
    "seconds_per_inference": "per_second",
    "other_inferences": "tiers",
}
"""Which unit a further key belongs to."""


class Billing(Section):
    """How inference is paid for: in exactly one unit, and the terms of the whole bill."""

    per_inference: Prices | None = None
    """One price for every inference."""
    instance: Instance | None = None
    """Whole machines by the hour."""
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)] | None = None
    """Graduated: each tier's price is for its own part of the volume, as with income tax."""
    per_1k_tokens: (
        Annotated[
            Annotated[Prices, Tag("one")] | Annotated[TokenPricesByModel, Tag("directions")],
            Discriminator(_token_prices),
        ]
        | None
    ) = None
    """Of 1,000 tokens: one price for all, or {input: .., output: ..} of each model."""
    per_second: MachinePrices | None = None
    """Of a second of computing."""
    tokens_per_inference: (
        Annotated[
            Annotated[Annotated[float, Strict(), Field(gt=0, le=1e9)], Tag("one")]
            | Annotated[TokensByDirection, Tag("models")],
            Discriminator(_rate),
        ]
        | None
    ) = None
    """Tokens that one inference takes, on average: one number, or {input: .., output: ..} where
    these have prices of their own; absent: volumes count tokens."""
    seconds_per_inference: Seconds | None = None
    """Seconds that one inference is billed; absent: measured."""
    other_inferences: Annotated[int, Strict(), Field(ge=0, le=10**15)] = 0
    """Inferences that other models bring onto the same bill each month, into the lowest tiers: what
    is projected is what this model adds."""
    discount: Annotated[float, Strict(), Field(ge=0, lt=1)] = 0.0
    """Share that is taken off every amount."""
    minimum_per_month: Amount = 0.0
    """Least amount of a month, agreed with the provider; a smaller bill is filled up to it."""

    @model_validator(mode="after")
    def _one_way(self) -> Billing:
        given = [way for way in _UNITS if getattr(self, way) is not None]
        if len(given) != 1:
            got = f"got {' and '.join(given)}" if given else "got none"
            raise ValueError(f"{got}; give exactly one of {', '.join(_UNITS)}: a bill has one unit")
        for key, way in _BELONGS.items():
            if getattr(self, key) and way not in (given[0], self.priced_by):
                raise ValueError(f"'{key}' goes with {way}, and this bill is by {given[0]}")
        return self

    @model_validator(mode="after")
    def _tokens_fit(self) -> Billing:
        prices, tokens = self.per_1k_tokens, self.tokens_per_inference
        if isinstance(prices, TokenPricesByModel) != isinstance(tokens, TokensByDirection):
            raise ValueError(
                "prices of input and output tokens go with tokens_per_inference: {input: .., "
                "output: ..}, and one price with one number of tokens"
            )
        if self.other_inferences and self.priced_by != "per_inference":
            raise ValueError(
                "'other_inferences' goes with tiers of inferences: what those of other models take "
                "of tokens or seconds is not known"
            )
        return self

    @model_validator(mode="after")
    def _tiers_follow(self) -> Billing:
        for mistake in _tier_mistakes(self.tiers or ()):
            raise ValueError(mistake)
        return self

    @property
    def unit(self) -> str:
        """By what is billed: the one of the keys that is given."""
        return next(way for way in _UNITS if getattr(self, way) is not None)

    @property
    def priced_by(self) -> str:
        """What the prices are of, in one piece or by tier."""
        return self.tiers[0].unit if self.tiers else self.unit

    @property
    def prices(self) -> tuple[Prices | TokenPricesByModel | TierPrices, ...]:
        """Every price per unit of use; empty where a machine's time is paid for in one piece."""
        single = tuple(found for found in (self.per_inference, self.per_1k_tokens) if found)
        return single + tuple(tier.prices for tier in self.tiers or ())

    @property
    def quoted(self) -> bool:
        """Whether the candidate's cost is known without measuring it."""
        if self.priced_by == "per_second":
            return self.seconds_per_inference is not None
        return bool(self.prices) and all(price.candidate is not None for price in self.prices)

    @property
    def by_volume(self) -> str | None:
        """What makes an inference cost more or less with the volume, in a word; None: nothing."""
        if self.tiers or self.instance:
            return "tiers" if self.tiers else "instances"
        return "months with a least amount" if self.minimum_per_month else None


def _tier_mistakes(tiers: tuple[Tier, ...]) -> Iterator[str]:
    for place, tier in enumerate(tiers[:-1]):
        after = tiers[place + 1].up_to
        if tier.up_to is None:
            yield f"tiers[{place}] has no 'up_to', but more tiers follow; only the last has no end"
        elif after is not None and after <= tier.up_to:
            yield (
                f"tiers[{place + 1}] ends at {after:,} and tiers[{place}] at {tier.up_to:,}, so "
                "they overlap; let 'up_to' rise from tier to tier"
            )
    if tiers and tiers[-1].up_to is not None:
        yield "the last of 'tiers' needs no 'up_to': remove it, so that every volume has a price"
    if len({tier.unit for tier in tiers}) > 1:
        yield "tiers of one bill have prices of one unit; take the same in every tier"
    lacking = [tier.prices.candidate is None for tier in tiers]
    if len(set(lacking)) > 1:
        yield "quote the candidate's price in every tier, or in none (then it is scaled)"
    elif any(lacking) and tiers[0].unit == "per_second":
        yield "quote the candidate's price of a second, too: its seconds are what is measured"
    if tiers and not any(tier.prices.baseline for tier in tiers):
        yield "every tier of the baseline is free, so there is nothing to save; give one a price"
