"""Kinds of data that come with augsynth, each in a folder, declared as anyone declares theirs."""
