"""Blend synthetic samples into a dataset."""
