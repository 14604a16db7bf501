"""Predictions -> counts -> evidence: what the statistics are computed from."""
