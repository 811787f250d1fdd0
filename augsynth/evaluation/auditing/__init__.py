"""What a generator gives away of single samples: attacks, canaries, and the bound on epsilon that follows."""
