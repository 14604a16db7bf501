"""Small models that are trained in seconds, for benchmarks."""
