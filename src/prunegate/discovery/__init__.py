"""Undeclared slices that lost most, guarded against having looked at so many. Advice only."""
