"""What training gains from synthetic samples, against classic augmentation, at equal steps."""
