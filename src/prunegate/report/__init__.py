"""The report: a decision record as one self-contained HTML file for people."""

from prunegate.io.deferred_import import ADDRESS_SYNTAX, deferred

with deferred(*ADDRESS_SYNTAX):  # of the library that draws; a command should not wait for it
    from prunegate.report.render import render

__all__ = ["render"]
