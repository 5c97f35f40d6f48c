"""Make all that is made of the committed rows: the tables of README and docs, and a figure.

python benchmarks/tables.py            write them
python benchmarks/tables.py --check    write nothing; fail where a file holds something else
"""

import sys
from pathlib import Path

import adopt
import bench_digits
import beside
import embedded
import families
import forecasts
import forgetting
import many
import speed
import versus
import versus_lr
from common import between, markdown, read_rows

ROOT = Path(__file__).parents[1]
DATA = {  # column: what makes a summary of its rows
    "clipart": embedded.summary,
    "texts": embedded.summary,
    "letter": beside.summary,
    "digits": beside.summary,
}
METHODS = {  # row of the table: what results call it
    "ours (auto)": ("ours (auto)", "auto"),
    **{name: (name,) for name in ("ncm", "lda", "ridge", "finetune", "er", "joint")},
    "logistic regression, all at once": ("logistic regression, all at once",),
    "MLPClassifier, all at once": ("MLPClassifier, all classes at once",),
}


def numbers():
    """Markdown: last accuracies of the methods on four data sets."""
    last = {d: {s["row"]: s["last"] for s in of(read_rows(d))} for d, of in DATA.items()}
    rows = []
    for name, calls in METHODS.items():
        cells = [next((last[d][c] for c in calls if c in last[d]), None) for d in DATA]
        rows.append((name, *("" if cell is None else f"{cell:.1f}" for cell in cells)))
    return markdown(("last accuracy, %", *DATA), rows)


TABLES = {  # document: what stands between its marks
    "README.md": {"versus": versus.table, "versus_lr": versus_lr.table},
    "docs/numbers.md": {"numbers": numbers, "many": many.table},
    "docs/methods.md": {"families": families.table, "adopt": adopt.table, "speed": speed.table},
    "docs/advice.md": {"forecasts": forecasts.table},
    "docs/bench.md": {"bench_digits": bench_digits.table},
}


def made():
    """Texts by path: what each file should hold."""
    texts = {"docs/forgetting.svg": forgetting.figure()}
    for document, tables in TABLES.items():
        texts[document] = (ROOT / document).read_text()
        for name, table in tables.items():
            texts[document] = between(texts[document], name, table())
    return texts


def main():
    other = {p: text for p, text in made().items() if text != (ROOT / p).read_text()}
    if "--check" in sys.argv and other:
        raise SystemExit(f"{', '.join(other)}: not what the results say; run `make tables`.")
    for path, text in other.items():
        (ROOT / path).write_text(text)


if __name__ == "__main__":
    main()
