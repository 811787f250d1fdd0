"""Look at data before anything is fitted on it."""
