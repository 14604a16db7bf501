"""The files that a verdict leaves behind, each a view of the record."""
