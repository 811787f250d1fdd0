"""Operations on one sample, seeded so that they depend on the sample's seed alone."""
