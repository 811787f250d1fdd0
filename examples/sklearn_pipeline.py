"""In a pipeline of scikit-learn, where SMOTE would stand (pip install 'augsynth[imblearn]').

    python examples/sklearn_pipeline.py

It acts on what is fitted on, never on what is predicted. Cross-validation therefore fits a generator in each fold.
"""

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import MinMaxScaler

from augsynth.sklearn import Augment


def main():
    data = load_digits()
    # a long tail: 90 of the first digit down to 4 of the last
    sizes = np.geomspace(90, 4, 10).round().astype(int)
    rows = np.concatenate([np.flatnonzero(data.target == c)[:n] for c, n in enumerate(sizes)])
    rest = np.setdiff1d(np.arange(len(data.target)), rows)

    samplers = {
        "as it is": "passthrough",
        "SMOTE": SMOTE(k_neighbors=3, random_state=0),
        "augsynth": Augment("vae", shape=(1, 8, 8), fit_options={"steps": 800}, random_state=0),
    }
    for name, sampler in samplers.items():
        model = make_pipeline(MinMaxScaler(), sampler, LogisticRegression(max_iter=1000))
        model.fit(data.data[rows].astype(np.float32), data.target[rows])
        predicted = model.predict(data.data[rest].astype(np.float32))
        print(f"{name:<10} balanced accuracy {balanced_accuracy_score(data.target[rest], predicted):.3f}")


if __name__ == "__main__":
    main()
