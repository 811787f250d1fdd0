"""Transforms of text."""

from collections.abc import Iterator

import augsynth

_ALL = {
    "eda": ("eda:EDA", "Easy data augmentation: synonyms, insertion, swap, deletion (Wei & Zou 2019)"),
    "aeda": ("aeda:AEDA", "Punctuation marks at random places (Karimi et al. 2021)"),
    "wordnet": ("wordnet_transform:WordNet", "Words by their synonyms or hypernyms, by NLTK's WordNet"),
    "stopwords": ("stopwords:Stopwords", "Some of the stop words removed"),
    "nlpaug": ("nlpaug_transform:NLPAug", "Any augmenter of nlpaug, seeded"),
}


@augsynth.hookimpl
def augsynth_transforms() -> Iterator[augsynth.TransformSpec]:
    for name, (factory, summary) in _ALL.items():
        yield augsynth.TransformSpec(name=name, factory=f"augsynth_text.{factory}", modality="text", summary=summary)
