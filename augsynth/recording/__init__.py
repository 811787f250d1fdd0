"""Samples of a slow or costly generator, written once and replayed."""
