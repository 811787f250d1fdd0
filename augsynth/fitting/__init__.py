"""Fit a generator on a dataset."""
