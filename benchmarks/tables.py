"""Write the tables of docs/methods.md from the results there are: python benchmarks/tables.py."""

import json
from pathlib import Path

from common import RESULTS

DOCUMENT = Path(__file__).parents[1] / "docs" / "methods.md"


def summary(name):
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text())["summary"] if path.exists() else []


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


def put(document, name, table):
    """Write lines between <!-- name --> and <!-- /name --> of a document."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, rest = document.read_text().split(start)
    document.write_text(head + start + "\n".join(table) + "\n" + rest[rest.index(end) :])


def main():
    for part in (families, adopt, speed):
        put(DOCUMENT, part.__name__, part())


if __name__ == "__main__":
    main()
