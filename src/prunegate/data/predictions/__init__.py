"""Predictions tables: any source as one lazy frame that holds only the columns needed."""
