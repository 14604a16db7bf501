"""The audit trail: the decision record and its canonical, content-named bytes."""
