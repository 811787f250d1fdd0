"""Small classifiers that are trained from scratch: what utility is measured with, and what judges generated samples."""

from augsynth.classifiers.images import ImageClassifier
from augsynth.classifiers.texts import TextClassifier
from augsynth.classifiers.training import BATCH, classifier_for, default_steps, probabilities, train_classifier

__all__ = [
    "BATCH",
    "ImageClassifier",
    "TextClassifier",
    "classifier_for",
    "default_steps",
    "probabilities",
    "train_classifier",
]
