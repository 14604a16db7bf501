"""The second opinion: another engine is asked about every finding, in its own process."""
