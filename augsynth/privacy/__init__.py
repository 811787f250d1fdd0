"""Differential privacy: the budget, the noise that keeps it, and what is said of it."""
