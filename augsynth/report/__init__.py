"""Reports: one HTML file each, with everything in it, to be read on any screen and without a network."""
