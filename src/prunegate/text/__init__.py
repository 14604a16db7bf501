"""The words and numbers that people read: one spelling for one value, and nothing hidden."""
