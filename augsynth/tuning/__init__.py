"""Search how to blend, or whether to."""
