"""Plumbing that every layer may use: whole files, hashes of files, and who is told of progress."""
