"""Transforms of text."""

from collections.abc import Iterator

from augsynth.authoring import TransformSpec, hookimpl

_ALL = {
    "eda": ("eda:EDA", "Easy data augmentation: synonyms, insertion, swap, deletion (Wei & Zou 2019)"),
    "aeda": ("aeda:AEDA", "Punctuation marks at random places (Karimi et al. 2021)"),
    "wordnet": ("wordnet_transform:WordNet", "Words by their synonyms or hypernyms, by NLTK's WordNet"),
    "stopwords": ("stopwords:Stopwords", "Some of the stop words removed"),
    "checked": ("checked:Checked", "Any transform of texts, whose result a judge gives the label of the original"),
    "nlpaug": ("nlpaug_transform:NLPAug", "Any augmenter of nlpaug, seeded"),
}


@hookimpl
def augsynth_transforms() -> Iterator[TransformSpec]:
    for name, (factory, summary) in _ALL.items():
        yield TransformSpec(name=name, factory=f"augsynth_text_transforms.{factory}", modality="text", summary=summary)
