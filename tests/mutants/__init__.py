"""Deliberately wrong plugins, one for each check of the suite, by kind: ``RIGHT`` keeps every promise."""
