"""Data by name, the same everywhere on the command line."""
