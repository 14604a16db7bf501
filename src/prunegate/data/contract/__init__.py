"""The data contract: what labelled data must be, judged by Great Expectations."""
