"""Write the tables of the docs from the results there are: python benchmarks/tables.py."""

import json
from pathlib import Path

from common import RESULTS

DOCS = Path(__file__).parents[1] / "docs"


def summary(name, key="summary"):
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text())[key] if path.exists() else []


def lines(header, rows):
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
    ]


def families():
    rows = [
        (s["row"], s["last"], s["spread"], s["average"], "" if s["lr"] is None else s["lr"])
        for s in summary("families")
    ]
    return lines(("method", "last", "spread", "average", "lr"), rows)


def adopt():
    found = {}
    for s in summary("adopt"):
        found.setdefault((s["row"], s["method"]), {})[s["network"]] = s

    def cell(s):
        return f"{100 * s['accuracy']:.1f} ({100 * s['least']:.1f})" if s else ""

    rows = [
        (row, method, cell(by.get("mlp")), cell(by.get("cnn")))
        for (row, method), by in sorted(found.items())
    ]
    pairs = {s["network"]: s["pairs"] for s in summary("adopt")}
    return lines(("given", "method", *(f"{n}, {p} pairs" for n, p in pairs.items())), rows)


def speed():
    return lines(("method", "ratio"), [(s["method"], s["ratio"]) for s in summary("speed")])


def forecasts():
    found = {}
    for row in summary("forecasts", "rows"):
        by = "replay" if "memory" in row["settings"] else "sums"
        kind = f"outlook of {by}" if row["rule"] == "outlook" else row["rule"]
        for key in (kind, "all"):
            found.setdefault(key, []).append(row)
    rows = []
    for kind, part in found.items():
        held = 100 * sum(row["held"] for row in part) / len(part)
        width = 100 * sum(row["forecast"][1] - row["forecast"][0] for row in part) / len(part)
        rows.append((kind, len(part), f"{held:.0f} %", f"{width:.0f} points"))
    return lines(("forecast of", "how many", "held", "mean width"), sorted(rows, reverse=True))


DATA = ("clipart", "texts", "letter", "digits")
METHODS = {  # row of the table: what results call it
    "ours (auto)": ("ours (auto)", "auto"),
    **{name: (name,) for name in ("ncm", "lda", "ridge", "finetune", "er", "joint")},
    "logistic regression, all at once": ("logistic regression, all at once",),
    "MLPClassifier, all at once": ("MLPClassifier, all classes at once",),
}


def numbers():
    found = {data: {s["row"]: s["last"] for s in summary(data)} for data in DATA}
    rows = []
    for name, calls in METHODS.items():
        cells = [next((found[d][c] for c in calls if c in found[d]), None) for d in DATA]
        rows.append((name, *("" if cell is None else f"{cell:.1f}" for cell in cells)))
    return lines(("last accuracy, %", *DATA), rows)


def many():
    shown = (
        ("the first update", "first_update", "{:.3f}"),
        ("the slowest update", "slowest_update", "{:.3f}"),
        ("updates slower than twice the first", "slower_than_twice_the_first", "{}"),
        ("all 1,000 updates", "total_seconds", "{:.1f}"),
        ("predicting 1,000 samples the first time (solves)", "solve_and_predict_1000", "{:.2f}"),
        ("predicting 1,000 samples", "predict_1000", "{:.2f}"),
    )
    rows = [(w, f.format(row[k])) for row in summary("many", "rows") for w, k, f in shown]
    return lines(("1,000 classes of 20 samples, one call each", "seconds"), rows)


TABLES = {
    "numbers.md": (numbers, many),
    "methods.md": (families, adopt, speed),
    "advice.md": (forecasts,),
}


def put(document, name, table):
    """Write lines between <!-- name --> and <!-- /name --> of a document."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, rest = document.read_text().split(start)
    document.write_text(head + start + "\n".join(table) + "\n" + rest[rest.index(end) :])


def main():
    for document, parts in TABLES.items():
        for part in parts:
            put(DOCS / document, part.__name__, part())


if __name__ == "__main__":
    main()
