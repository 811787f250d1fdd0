"""Synthetic samples made ahead, in shared memory."""
