"""Waivers: who let which finding of which candidate pass, until when, and on whose word."""
