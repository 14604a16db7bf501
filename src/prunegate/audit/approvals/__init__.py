"""Approvals: who agreed to which record, with which key, and whether that is enough to ship."""
