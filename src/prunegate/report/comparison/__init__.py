"""Comparison: several records on one page, side by side or as the history of one model."""

from prunegate.report.comparison.render_comparison import render_comparison

__all__ = ["render_comparison"]
