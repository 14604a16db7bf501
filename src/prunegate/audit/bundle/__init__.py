"""Bundle: one decision with all its evidence in one folder or zip, checkable without prunegate."""
