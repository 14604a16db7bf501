"""The report: a decision record as one self-contained HTML file for people."""

from prunegate.report.render import render

__all__ = ["render"]
