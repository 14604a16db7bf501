"""Key texts: a slicing key's values as the texts that slices are named by.

Texts are compared in Unicode's NFC. Two spellings that fall together there (or the number 1 and the
text ``1``) would silently be one slice, so they are refused; an empty value belongs to no slice and
is handed on as None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prunegate.errors import TableError
from prunegate.policy.naming import value_text


@dataclass(frozen=True, kw_only=True)
class KeyTexts:
    """Reads the values of the slicing keys and remembers how each was spelled."""

    keys: tuple[str, ...]
    """Names of the slicing keys, in the order that values come in."""
    _spelled: dict[tuple[str, str], Any] = field(default_factory=dict)

    def of(self, values: Sequence[Any]) -> tuple[str | None, ...]:
        """The texts of one row's values; None where there is no value.

        Raises:
            TableError: a value that another row spells differently.
        """
        return tuple(self._text(key, value) for key, value in zip(self.keys, values, strict=True))

    def spelled(self, key: str, text: str) -> Any:
        """How the table spells a text that it holds; None where it does not."""
        return self._spelled.get((key, text))

    def _text(self, key: str, value: Any) -> str | None:
        if value is None or value != value or value == "":  # noqa: PLR0124  # NaN differs from itself
            return None
        text = value_text(value)
        first = self._spelled.setdefault((key, text), value)
        if first != value:
            raise TableError(
                f"column '{key}' spells one value in two ways ({first!a} and {value!a}); "
                "make them the same"
            )
        return text
