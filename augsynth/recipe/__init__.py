"""The whole road in one file: from data to verdict, run, stopped, resumed and shared."""
