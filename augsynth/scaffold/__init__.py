"""A new distribution with plugins in it, complete and working, to begin from."""
