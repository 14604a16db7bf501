"""Labelled rows: what models are ranked, trained and judged on."""
