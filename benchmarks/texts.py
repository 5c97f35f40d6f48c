"""Descriptions of Debian packages, 40 sections in 20 tasks of 2, beside a tuned regression.

python benchmarks/texts.py [--each 150] [--orders 3] [--only "ours (auto)" ncm]

Needs `evergrow[text]` and apt-cache (Debian); the lists of packages there are decide the data. Each
description's features are computed once: those of `text:all-MiniLM-L6-v2` as "auto" takes it, at
seven depths; its last layer is the sentence embedding alone. Rows: `embedded.py`.
"""

import re
import subprocess
from collections import Counter

import embedded
import numpy as np
import torch
from common import once
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from evergrow import backbones
from evergrow.data import read
from evergrow.nn.network import Network

torch.set_num_threads(1)
ENCODER, SECTIONS, TASK, TEST, EMBEDDING = "text:all-MiniLM-L6-v2", 40, 2, 0.3, 384


def packages():
    """Descriptions and sections of all packages, each description once."""
    dump = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)
    found = {}
    for block in dump.stdout.split("\n\n"):
        field = dict(re.findall(r"^(Description(?:-en)?|Section): (.*)", block, re.M))
        text = field.get("Description") or field.get("Description-en")
        if text and "Section" in field:
            found.setdefault(text.strip(), field["Section"].split("/")[-1])
    return list(found), np.array(list(found.values()))


def sampled(each):
    """Texts and labels: at most so many of each of the largest sections, the same each time."""
    texts, sections = packages()
    texts, rng, rows = np.array(texts, dtype=object), np.random.default_rng(0), []
    for section in sorted(name for name, _ in Counter(sections.tolist()).most_common(SECTIONS)):
        own = np.flatnonzero(sections == section)
        rows.extend(rng.permutation(own[np.argsort(texts[own].astype(str))])[:each])
    return texts[rows].tolist(), sections[rows]


def embedded_texts(texts):
    """(n, 2688) features and the scale that makes integers of them."""
    encoder = backbones.get(ENCODER)
    chunk = read.read(texts, need_labels=False)
    form = encoder.prepare(chunk.seen)
    body = encoder.build(form, torch.Generator())
    net, records = Network(body, encoder.inputs(form)).eval(), body.records(chunk, form)
    parts = [net.steady(records.take(rows)) for rows in torch.arange(len(texts)).split(2048)]
    return {"x": torch.cat(parts).numpy(), "scale": np.array(body.scale)}


def order(y, seed):
    """Rows to learn, rows held out, classes as they arrive."""
    split = train_test_split(np.arange(len(y)), test_size=TEST, stratify=y, random_state=seed)
    return *split, np.random.default_rng(seed).permutation(np.unique(y))


def course(each, orders):
    texts, y = sampled(each)
    found = once("texts", [ENCODER, texts], lambda: embedded_texts(texts))
    return embedded.Course(
        x=found["x"],
        y=y,
        last=EMBEDDING,
        scale=float(found["scale"]),
        each=TASK,
        orders=[order(y, seed) for seed in range(orders)],
        regression=LogisticRegression(class_weight="balanced", max_iter=1000),
        grid={"C": [0.1, 0.3, 1.0, 3.0, 10.0, 30.0]},
        folds=3,
        rates=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    )


def main():
    parser = embedded.arguments()
    parser.add_argument("--each", type=int, default=150, help="descriptions a section, at most")
    given = parser.parse_args()
    embedded.main("texts", lambda: course(given.each, given.orders), given.only)


if __name__ == "__main__":
    main()
