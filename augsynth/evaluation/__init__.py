"""Are the samples any good: fidelity, diversity, labels and memorisation, each beside real data against real data."""
