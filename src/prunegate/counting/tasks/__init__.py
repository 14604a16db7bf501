"""Kinds of task: one object each, by which counting knows what to do with a row."""
