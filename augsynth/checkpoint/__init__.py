"""Save and load generators: a folder of plain data that nothing in it can make execute."""
