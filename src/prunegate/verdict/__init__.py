"""Rules -> findings -> verdict. Pure: counts and figures in, plain values out."""

from prunegate.verdict.finding import EXIT_CODES, Finding, SliceSummary, Verdict

__all__ = ["EXIT_CODES", "Finding", "SliceSummary", "Verdict"]
