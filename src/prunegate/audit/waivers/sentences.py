"""The words of a waiver in a list of entries: shown, not trusted, and never a reason to stop."""

from __future__ import annotations

import json

from prunegate.audit.signing.dsse import parse_envelope
from prunegate.audit.waivers.entry import WAIVER
from prunegate.errors import PrunegateError
from prunegate.policy.messages import literal

__all__ = ["WAIVER", "waiver_words"]


def waiver_words(entry: bytes) -> str:
    """``recall at_least on kind=video: waived by Ann until 2026-12-28T00:00:00Z: ...``."""
    try:
        said = json.loads(parse_envelope(entry, "entry").payload)["predicate"]
        asked = json.loads(said["request"])
        about = asked["finding"]
        return (
            f"{about['metric']} {about['check']} on {about['slice']}: waived by {said['person']} "
            f"until {asked['expires']}: {asked['reason']}"
        )
    except (PrunegateError, ValueError, LookupError, TypeError) as error:
        return f"unreadable ({literal(str(error))})"
