"""Find the topics of texts, so that unlabelled text can be asked for by topic."""

from augsynth.modalities.text.topics.finding import Topics, fit

__all__ = ["Topics", "fit"]
