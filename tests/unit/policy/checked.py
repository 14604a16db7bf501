"""Rules."""

from __future__ import annotations

from collections.abc import Callable

Mistakes = Callable[..., list[str]]
