"""Predictions -> counts: how a table is understood, and what the rows of a slice sum up to."""
