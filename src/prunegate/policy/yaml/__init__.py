"""Strict YAML 1.2: text to plain values, with the line of every key and value."""
