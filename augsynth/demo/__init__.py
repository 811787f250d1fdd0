"""The demonstration: fit, blend, train with and without, and say whether it helped."""
