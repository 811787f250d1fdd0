"""Over-sampling in a pipeline of scikit-learn, beside SMOTE."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import MinMaxScaler

import augsynth
from augsynth.sklearn import Augment

pytest.importorskip("imblearn")
pytestmark = pytest.mark.filterwarnings("ignore::augsynth.errors.CollapseWarning")
QUICK = {"steps": 40, "device": "cpu", "width": 8}


@pytest.fixture(scope="module")
def rare():
    """Digits 0, 1, 2: 40, 20 and 8 of them, flat, in [0, 1]."""
    data = load_digits()
    rows = np.concatenate([np.flatnonzero(data.target == c)[:n] for c, n in enumerate((40, 20, 8))])
    return data.data[rows].astype(np.float32) / 16, data.target[rows]


def test_rare_classes_are_filled_up_and_what_was_given_comes_first(rare):
    x, y = rare
    more = Augment("vae", shape=(1, 8, 8), fit_options=QUICK, random_state=3)
    x2, y2 = more.fit_resample(x, y)
    assert np.bincount(y2).tolist() == [40, 40, 40] and more.sampling_strategy_ == {1: 20, 2: 32}
    assert np.array_equal(x2[: len(x)], x) and np.array_equal(y2[: len(y)], y)
    assert x2.dtype == x.dtype and x2.shape == (120, 64) and 0 <= x2.min() <= x2.max() <= 1
    assert len(more.provenance_) == 52 and {row["condition"] for row in more.provenance_} == {"1", "2"}
    again, _ = clone(more).fit_resample(x, y)
    other, _ = clone(more).set_params(random_state=4).fit_resample(x, y)
    assert np.array_equal(again, x2) and not np.array_equal(other, x2)


def test_a_pipeline_and_a_search_over_its_settings(rare):
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import Pipeline

    x, y = rare
    steps = [("scale", MinMaxScaler()), ("more", Augment("vae", shape=(1, 8, 8), fit_options=QUICK, random_state=0))]
    pipeline = Pipeline([*steps, ("classify", LogisticRegression(max_iter=300))])
    assert pipeline.fit(x * 16, y).score(x * 16, y) > 0.9 and len(pipeline.predict(x[:5] * 16)) == 5
    search = GridSearchCV(pipeline, {"more": [SMOTE(k_neighbors=2), steps[1][1]]}, cv=2).fit(x, y)
    assert len(search.cv_results_["params"]) == 2 and not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_strategies_filters_and_a_fitted_generator(rare):
    x, y = rare
    gen = augsynth.fit("vae", list(zip(x.reshape(-1, 1, 8, 8), y.tolist(), strict=True)), progress=False, **QUICK)
    images = x.reshape(-1, 1, 8, 8)
    more = Augment(gen, sampling_strategy={2: 10}, filters=[lambda batch: batch.model_x.flatten(1).mean(1) < 0])
    x2, y2 = more.fit_resample(images, y)
    assert more.generator_ is gen and np.bincount(y2).tolist() == [40, 20, 10] and x2.shape == (70, 1, 8, 8)
    unchanged = Augment(gen, sampling_strategy={2: 8}).fit_resample(images, y)
    assert unchanged[0] is images and unchanged[1] is y


def test_texts():
    texts = [f"the {word} is {how}" for word in ("cat", "dog") for how in ("good", "old", "here", "there")]
    more = Augment("phrase_mix", random_state=0)
    x, y = more.fit_resample([*texts, "red soup", "blue soup"], ["animal"] * 8 + ["food"] * 2)
    assert len(x) == 16 and y.count("food") == 8 and isinstance(x, list) and all(isinstance(one, str) for one in x)
    array, _ = more.fit_resample(np.array([*texts, "red soup", "blue soup"], dtype=object), np.array(y[:10]))
    assert array.dtype == object and array.tolist() == x


def test_tables():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("augsynth_tabular")
    table = pandas.DataFrame({"height": np.linspace(1.5, 2.0, 40), "city": ["Bonn", "Ulm"] * 20})
    y = pandas.Series(["yes"] * 30 + ["no"] * 10, name="bought")
    x2, y2 = Augment("tvae", fit_options={"steps": 20}, random_state=0).fit_resample(table, y)
    assert list(x2.columns) == ["height", "city"] and len(x2) == 60 and (y2 == "no").sum() == 30
    assert x2.dtypes.equals(table.dtypes) and x2["city"].isin(["Bonn", "Ulm"]).all() and y2.name == "bought"


def test_mistakes_are_told(rare):
    from scipy.sparse import csr_matrix

    x, y = rare
    for augment, given, message in (
        (Augment(), x, r"X has shape \(68, 64\): rows of numbers. If each is a flat sample, say its shape"),
        (Augment(shape=(1, 9, 9)), x, r"shape=\(1, 9, 9\)"),
        (Augment(sampling_strategy="most", shape=(1, 8, 8)), x, "sampling_strategy='most'"),
        (Augment(sampling_strategy={7: 90}, shape=(1, 8, 8)), x, "names 7"),
        (Augment(sampling_strategy={0: 9}, shape=(1, 8, 8)), x, "sampling_strategy="),
        (Augment(), csr_matrix(x), "sparse"),
    ):
        with pytest.raises(augsynth.ConfigError, match=message):
            augment.fit_resample(given, y)
    with pytest.raises(augsynth.DataError, match="68 samples and 3 labels"):
        Augment(shape=(1, 8, 8)).fit(x, y[:3])
