"""Slices drawn at a known true change and judged by the gate's own evidence, one metric a file."""
