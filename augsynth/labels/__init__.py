"""Every question about labels: what they are, where a dataset keeps them, how they are yielded."""
