"""Unlabelled text: find its topics, fit a generator by topic, and let the DataLoader mix in what you ask for.

    python examples/text_topics.py [FILE.txt]

FILE has one text a line; the sixty headlines in `data/` stand for yours: enough to see how it works, too few for good
sentences. It takes a few seconds.
"""

import sys
from pathlib import Path

from torch.utils.data import DataLoader

import augsynth

FILE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data/headlines.txt"


def main():
    texts = augsynth.clean(FILE.read_text(encoding="utf-8").splitlines(), duplicates="exact")
    # with the extra "topics", method="embeddings" tells short texts like these better
    topics = augsynth.topics.fit(texts, k=5)
    print(topics)
    # a topic is named by its words until you name it
    topics = topics.rename({topics.assign(["barrels of crude oil"]).item(): "energy"})

    gen = augsynth.fit("lstm", texts, topics=topics, seed=0)
    for name in topics.names:
        print(f"\n{name}:")
        for text in gen.sample(4, topics=name, temperature=0.7, seed=1).x:
            print("   ", text)

    # free words find the nearest topic; a warning says which one it is, and provenance keeps it
    found = gen.sample(1, topics="rocket to mars", seed=2)
    print(f"\n'rocket to mars' is {found.meta[0]['topic']!r}: {found.x[0]}")

    blended = augsynth.SyntheticDataset(texts, gen, ratio=0.5, condition="energy", seed=0, temperature=0.7)
    for batch in DataLoader(blended, batch_size=8, num_workers=2):
        print("\na batch, half of it generated:", *batch, sep="\n    ")
        break


if __name__ == "__main__":
    main()
