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


TABLES = {"methods.md": (families, adopt, speed), "advice.md": (forecasts,)}


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
