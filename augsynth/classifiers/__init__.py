"""Small classifiers that are trained from scratch: what utility is measured with, and what judges generated samples."""
