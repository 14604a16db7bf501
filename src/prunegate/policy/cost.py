"""Money: the ``cost`` section of a policy, what inference costs now and in the months to come.

Every unit has one place: the currency is named once for all amounts, ``per_inference`` and
``per_hour`` say what they are per, and volumes are inferences a month. Amounts are bare numbers, so
that nothing can be given in another unit.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Strict, Tag, model_validator

from prunegate.policy.billing import Billing
from prunegate.policy.section import Section

_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())


Volume = Annotated[int, Strict(), Field(ge=0, le=10**15)]
"""Inferences in one month."""


class Volumes(Section):
    """Inferences a month, growing from now to the end of the projection."""

    now: Volume
    """Today's inferences a month."""
    target: Annotated[int, Strict(), Field(ge=1, le=10**15)]
    """Inferences in the last month."""
    months: Annotated[int, Strict(), Field(ge=1, le=600)]
    """How many months the projection has."""
    growth: Literal["linear", "geometric"] = "linear"
    """How the volume gets from now to target."""
    low: Volume | None = None
    """The target if growth disappoints: a scenario beside the projection, never a rule's figure."""
    high: Volume | None = None
    """The target if growth surprises."""

    @model_validator(mode="after")
    def _upwards(self) -> Volumes:
        if self.target < self.now:
            raise ValueError(
                f"target ({self.target:,}) lies below now ({self.now:,}); growth goes up. List "
                "volumes that shrink: {by_month: [...]}"
            )
        if self.growth == "geometric" and 0 in (self.now, self.low):
            raise ValueError("geometric growth cannot start or end at 0; write growth: linear")
        if self.low is not None and self.low > self.target:
            raise ValueError(f"low ({self.low:,}) lies above target ({self.target:,}); swap them")
        if self.high is not None and self.high < self.target:
            raise ValueError(f"high ({self.high:,}) lies below target ({self.target:,}); swap them")
        return self

    @property
    def last(self) -> int:
        """Number of the last month."""
        return self.months


Months = Annotated[tuple[Volume, ...], Field(min_length=1, max_length=600)]


class VolumeTable(Section):
    """Inferences a month, listed: the first is the first month that is billed."""

    now: Volume | None = None
    """Today's volume, for reference; nobody's bill."""
    by_month: Months
    """The volumes of months 1, 2, and so on."""
    low: Months | None = None
    """The months if growth disappoints."""
    high: Months | None = None
    """The months if growth surprises."""

    @property
    def last(self) -> int:
        """Number of the last month."""
        return len(self.by_month)

    @model_validator(mode="after")
    def _in_order(self) -> VolumeTable:
        for name, sign in (("low", 1), ("high", -1)):
            other = getattr(self, name)
            if other is None:
                continue
            if len(other) != len(self.by_month):
                raise ValueError(
                    f"{name} has {len(other)} month(s) and by_month {len(self.by_month)}; list as "
                    "many"
                )
            pairs = zip(other, self.by_month, strict=True)
            wrong = next((n for n, (a, b) in enumerate(pairs, 1) if sign * (a - b) > 0), None)
            if wrong is not None:
                side = "above" if sign > 0 else "below"
                raise ValueError(f"{name} lies {side} by_month in month {wrong}; swap the two")
        return self


def _shape(value: Any) -> str:
    keys = type(value).model_fields if isinstance(value, Section) else value
    return "table" if isinstance(keys, dict) and "by_month" in keys else "course"


def _is_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(f"'{code}' is no currency of ISO 4217; expected a code such as EUR or USD")
    return code


class Cost(Section):
    """What serving costs, now and in the months to come."""

    currency: Annotated[
        str,
        Strict(),
        Field(pattern=r"^[A-Z]{3}$", json_schema_extra={"enum": sorted(CURRENCIES)}),
        AfterValidator(_is_currency),
    ] = "USD"
    """ISO 4217; of every amount in the policy."""
    billing: Billing
    volumes: (
        Annotated[
            Annotated[Volumes, Tag("course")] | Annotated[VolumeTable, Tag("table")],
            Discriminator(_shape),
        ]
        | None
    ) = None
    one_off: Annotated[float, Strict(), Field(ge=0, le=1e12)] = 0.0
    """What the compression work costs once; the saving has to pay for it first."""

    @model_validator(mode="after")
    def _volumes_where_they_decide(self) -> Cost:
        if self.volumes is None and (way := self.billing.by_volume):
            raise ValueError(
                f"what {way} cost depends on the volume; add volumes: {{now: 180000, target: "
                "800000, months: 18}"
            )
        return self
