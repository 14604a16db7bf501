"""What it costs: measurement of both models, and projection of prices at the volumes to come."""
