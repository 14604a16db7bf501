"""The processor, and the instruction sets by which eight-bit products differ from one to another.

A record names them, because a quantized model may compute other numbers on another processor.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

_INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "amx_int8": "AMX int8",
    "asimddp": "NEON dot product",
    "i8mm": "NEON i8mm",
}
"""By the kernel's word for them, in the order in which they are shown."""
NAME, SETS = "processor", "instruction_sets"


@dataclass(frozen=True, kw_only=True)
class Processor:
    """What computes here."""

    name: str
    """As the maker calls it; "unknown" where the system does not say."""
    instruction_sets: tuple[str, ...] | None
    """Of those that matter to eight-bit products, the ones it has; None: the system does not say.
    """

    def facts(self) -> dict[str, str]:
        """Return the two as texts."""
        known = self.instruction_sets
        sets = "not known" if known is None else ", ".join(known) or "none of those looked for"
        return {NAME: self.name, SETS: sets}


def processor() -> Processor:
    """Describe the processor of this machine, without a word about whose it is."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Processor(name=platform.processor() or "unknown", instruction_sets=None)
    return processor_from_cpuinfo(text)


def processor_from_cpuinfo(cpuinfo: str) -> Processor:
    """Read the kernel's description (x86 says ``flags``, ARM ``Features``) of the first core."""
    facts: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    words = facts.get("flags", facts.get("Features"))
    found = None
    if words is not None:
        has = set(words.split())
        found = tuple(name for word, name in _INSTRUCTIONS.items() if word in has)
    return Processor(name=_name(facts), instruction_sets=found)


def _name(facts: dict[str, str]) -> str:
    if named := facts.get("model name"):
        return named
    if "CPU implementer" in facts:
        return f"ARM implementer {facts['CPU implementer']} part {facts.get('CPU part', '?')}"
    return platform.processor() or "unknown"
