"""Answers as people read them: tables at a terminal, plain columns separated by tabs when piped."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from ...formatting import escaped, listed, percent, points, size
from .. import versions

TableRows = Iterable[Sequence[Any]]


PATH = 40  # characters of an input's name that are shown at a terminal
SHORT = 16  # characters of a cell that is not folded, be the terminal narrow


def say(text: str = "", error: bool = False) -> None:
    """Print a text, its lines folded between words where a terminal is narrower.

    >>> say("as it is")
    as it is
    """
    stream = sys.stderr if error else sys.stdout
    if not stream.isatty():
        print(text, file=stream, flush=error)
        return
    from rich.console import Console
    from rich.text import Text

    Console(file=stream).print(Text(text))


def table(
    header: Sequence[str], rows: TableRows, right: Sequence[int] = (), aligned: bool = False
) -> None:
    """Print rows under a header: aligned at a terminal, else as tab-separated lines.

    right: numbers of the columns that are aligned to the right.  aligned: wherever it goes.

    >>> table(["class", "accuracy"], [["cat", "0.981"]])
    class	accuracy
    cat	0.981
    """
    texts = [[str(cell) for cell in row] for row in rows]
    if not aligned and not sys.stdout.isatty():
        for line in [list(header), *texts]:
            print("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in line))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for i, name in enumerate(header):
        widest = max(map(len, [name, *(line[i] for line in texts)]))
        whole = i in right or widest <= SHORT
        how: Literal["right", "left"] = "right" if i in right else "left"
        least = widest if whole else None
        grid.add_column(name, justify=how, overflow="fold", no_wrap=whole, min_width=least)
    for line in texts:
        grid.add_row(*map(Text, line))
    Console().print(grid)


def learnt(answer: dict[str, Any]) -> None:
    """What `learn` or `adopt` did."""
    new, known = answer["new_classes"], len(answer["classes"]) - len(answer["new_classes"])
    would = "would be " if answer.get("dry_run") else ""
    passed = answer.get("passed_over", 0)
    if passed:
        say(f"{passed:,} samples passed over: learnt before (--again learns them once more)")
    if answer.get("skipped"):
        say(f"{len(answer['skipped']):,} bad files passed over")
    if answer.get("adopted"):
        say(f"{answer['backbone']} adopted, with classes {listed(new)}; {answer['reason']}")
    elif answer["samples"]:
        say(f"{answer['samples']:,} samples {would}learnt in {_seconds(answer)}")
        say(f"new classes: {listed(new)}; known before: {known}")
        say(_chosen(answer))
        if answer.get("report"):
            update_report(answer["report"])
    else:
        say(f"nothing new to learn; the model stays at version {answer['version']}")
        return
    if not answer.get("dry_run"):
        space = f", {size(answer['bytes'])}" if answer.get("bytes") else ""
        say(f"version {answer['version']} of {answer['model']}{space}")


def _chosen(answer: dict[str, Any]) -> str:
    """Method and backbone, each named once, and why where they were not asked for."""
    told = [f"{name} {answer[name]}" for name in ("backbone", "method")]
    why = "" if answer["reason"] == "as asked for" else answer["reason"]
    missing = [word for word in told if word not in why]
    return "; ".join([*missing, *([why] if why else [])])


def _seconds(answer: dict[str, Any]) -> str:
    """How long it took; of that learning itself, as `show` has it, where it was done."""
    whole, learning = f"{answer['seconds']:.1f} s", answer.get("learning_seconds")
    return whole if learning is None else f"{learning:.1f} s ({whole} with all around it)"


def update_report(report: dict[str, Any]) -> None:
    """What an update did to old and new classes; nothing where no sample could be judged."""
    if not report["samples"]:
        return
    from ...model.recall_history import in_words

    rows = []
    for name, title in (("old", "old classes"), ("new", "new classes"), ("all", "all")):
        before = percent(report["old_before"]) if name == "old" else ""
        if report[name] is not None:
            margin = f"± {points(report['margins'][name])}"
            past = [
                percent(report[key]) if name == "old" else "" for key in ("old_first", "old_best")
            ]
            rows.append([title, before, percent(report[name]), margin, *past])
    say(f"\nmean recall, judged by {report['samples']:,} {report['by']}:")
    table(["", "before", "after", "", "when learnt", "at best"], rows, right=(1, 2, 4, 5))
    for entry in report["fallen"]:
        say(in_words(entry, report))
    error = report["calibration"]["error"]
    say(f"probabilities are off by {points(error)} points on average\n")


def advice(entries: Sequence[dict[str, Any]]) -> None:
    """What to be warned of, on standard error: before training, while one can still stop it."""
    for line in advice_lines([entry for entry in entries if entry["rule"] != "outlook"]):
        say(escaped(line), error=True)


GRAVE = {"folders-of-folders", "no-pretrained-network", "one-class"}  # hardly meant, and fixed


def advice_asked(entries: Sequence[dict[str, Any]]) -> None:
    """The same; where something grave is among it and a person sits there, whether to go on.

    Raises typer.Exit(1) where not.
    """
    advice(entries)
    if any(e["rule"] in GRAVE for e in entries) and sys.stdin.isatty() and sys.stderr.isatty():
        import typer

        if not typer.confirm("Begin the model so all the same?", err=True):
            say("nothing was learnt; the model is as it was", error=True)
            raise typer.Exit(1)


def advice_lines(entries: Sequence[dict[str, Any]]) -> list[str]:
    """Advice as people read it: what is to be known, what would help.

    >>> entry = {"rule": "few", "text": "too few.", "remedies": ["more"], "of": "all classes"}
    >>> advice_lines([entry | {"forecast": [0.2, 0.5]}])
    ['few: too few. Forecast: 20 to 50 % of all classes.', '  would help: more']
    """
    lines = []
    for entry in entries:
        low, high = (round(100 * share) for share in entry["forecast"] or (0, 0))
        forecast = f" Forecast: {low} to {high} % of {entry['of']}." if entry["forecast"] else ""
        lines.append(f"{entry['rule']}: {entry['text']}{forecast}")
        lines += [f"  would help: {remedy}" for remedy in entry["remedies"]]
    return lines


def advised(answer: dict[str, Any]) -> None:
    """What would be learnt, and what to expect of it."""
    new, known = answer["new_classes"], len(answer["classes"]) - len(answer["new_classes"])
    say(f"{answer['samples']:,} samples; new classes: {listed(new)}; known before: {known}")
    say(_chosen(answer))
    say("\n".join(advice_lines(answer["advice"]) or ["no rule has anything to say"]))
    probe = answer.get("probe")
    if probe and all(entry["rule"] != "weak-backbone" for entry in answer["advice"]):
        say(
            f"probe: {percent(probe['features'])} by features as they are, "
            f"{percent(probe['trained'])} by {probe['network']} trained for "
            f"{probe['seconds']:.0f} s, of {probe['held']} samples held back"
        )


def predictions(answer: dict[str, Any]) -> None:
    """One line an input; at a terminal with what comes next in one column."""
    inputs = answer["predictions"]
    most = max((len(p["top"]) for p in inputs), default=1)
    if sys.stdout.isatty():
        header = ["input", "label", "probability", *["then"] * (most > 1)]
        rows = [
            [_end_of(p["input"]), *_told(p["top"][0]), *[_others(p["top"])] * (most > 1)]
            for p in inputs
        ]
        table(header, rows, right=(2,))
        return
    header = ["input", "label", "probability"]
    for i in range(2, most + 1):
        header += [f"label {i}", f"probability {i}"]
    rows = [[p["input"], *(cell for pair in p["top"] for cell in _told(pair))] for p in inputs]
    table(header, rows, right=range(2, len(header), 2))


def _told(pair: Sequence[Any]) -> tuple[str, str]:
    return str(pair[0]), f"{pair[1]:.4f}"


def _others(top: Sequence[Sequence[Any]]) -> str:
    return ", ".join(f"{label} {share:.2f}" for label, share in top[1:])


def _end_of(name: str) -> str:
    """The end of a long path, which tells it from others.

    >>> _end_of("holidays/" * 9 + "1.png")
    '...days/holidays/holidays/holidays/1.png'
    """
    return name if len(name) <= PATH else f"...{name[3 - PATH :]}"


def evaluated(answer: dict[str, Any]) -> None:
    """Accuracy overall, of old and new classes, by class; the pairs confused most."""
    counts = answer["counts"]
    rows: list[list[Any]] = [["all", percent(answer["accuracy"]), answer["samples"]]]
    for name in ("old", "new"):
        part = answer[name]
        if part["samples"]:
            rows.append([f"{name} classes", percent(part["accuracy"]), part["samples"]])
    rows += [[f"  {k}", percent(v), counts[k]] for k, v in answer["per_class"].items()]
    table(["", "accuracy", "samples"], rows, right=(1, 2))
    if answer["confused"]:
        say()
        pairs = [[p["label"], p["predicted"], p["samples"]] for p in answer["confused"]]
        table(["labelled", "taken for", "samples"], pairs, right=(2,))
    if answer["unknown_classes"]:
        unknown = listed(answer["unknown_classes"])
        say(f"\nnot known to the model, counted as wrong: {unknown}")


def shown(answer: dict[str, Any]) -> None:
    """A model folder: what it knows, how it learns, its versions, its size."""
    for name in ("method", "backbone"):
        settings = answer[f"{name}_settings"]
        words = ", ".join(f"{k}={v}" for k, v in settings.items())
        say(f"{name:10}{answer[name]}" + (f" ({words})" if words else ""))
    say(f"{'because':10}{answer['reason']}")
    say(f"{'size':10}{size(answer['bytes'])}, this version {size(answer['version_bytes'])}")
    say(f"{'samples':10}{'raw ones lie' if answer['raw_samples'] else 'none lie'} in the folder\n")
    counts = ["-" if n is None else n for n in answer["counts"].values()]
    columns = [answer["recalls"][key] for key in ("now", "when_learnt", "at_best")]
    rows = [
        [label, n, *(percent(column.get(str(label))) for column in columns)]
        for label, n in zip(answer["classes"], counts, strict=True)
    ]
    header = ["class", "learnt", "recall", "when learnt", "at best"]
    table(header, rows, right=(1, 2, 3, 4))
    say()
    header = ["version", "time", "samples", "classes", "new", "recall", "seconds", "method"]
    ways = {entry.get("method", answer["method"]) for entry in answer["history"]}
    if sys.stdout.isatty() and ways == {answer["method"]}:
        header.remove("method")  # it stands above
    rows = [versions.row(entry, answer["version"], header, " *", 6) for entry in answer["history"]]
    table(header, rows, right=(2, 3, 5, 6))
    say("seconds: of learning itself, without starting, reading and writing")


def layers_table(answer: dict[str, Any]) -> None:
    """One line a layer."""
    rows = [[row["layer"], row["features"], percent(row["recall"])] for row in answer["layers"]]
    table(["layer", "features", "mean recall"], rows, right=(1, 2))


def written(answer: dict[str, Any]) -> None:
    """Where a report lies."""
    say(f"{answer['report']} written, {size(answer['bytes'])}; open it in a browser")


def rolled_back(answer: dict[str, Any]) -> None:
    """The version that is current now."""
    say(f"version {answer['version']} is current, with classes {listed(answer['classes'])}")


def checked(answer: dict[str, Any]) -> None:
    """A method that keeps the contract."""
    say(f"{answer['method']} passes every check")


def methods_table(answer: dict[str, Any]) -> None:
    """The methods by family, a line each: at a terminal with the family as a heading."""
    columns = ("family", "name", "keeps", "needs", "line", "paper")
    if not sys.stdout.isatty():
        table(columns, [[m[key] for key in columns] for m in answer["methods"]])
        return
    rows: list[list[str]] = []
    before = None
    for m in answer["methods"]:
        if m["family"] != before:
            rows += [["", "", ""]] if before else []
            rows.append([m["family"].upper(), "", ""])
        before = m["family"]
        keeps = m["keeps"] + (f" (needs: {m['needs']})" if m["needs"] else "")
        rows.append([m["name"], keeps, m["line"] + (f" {m['paper']}" if m["paper"] else "")])
    table(["method", "keeps", ""], rows)


def backbones_table(answer: dict[str, Any]) -> None:
    """The backbones, a line each."""
    rows = [[b["name"], b["reads"], b["line"]] for b in answer["backbones"]]
    table(["backbone", "reads", ""], rows)


def benchmarked(answer: dict[str, Any]) -> None:
    """What `bench` found: the table, what failed, and where everything is."""
    from ...bench import leaderboard

    at = [leaderboard.HEADER.index(name) for name in leaderboard.COLUMNS_SHOWN]
    for scenario, body in leaderboard.tables(answer["rows"]).items():
        say(f"{scenario}: percent, mean ± standard deviation over seeds")
        lines = [[cells[i] for i in at] for _, cells in body]
        table(leaderboard.COLUMNS_SHOWN, lines, right=range(2, len(at)))
    for row in answer["failed"]:
        say(f"failed: {row['method']} on {row['backbone']}, seed {row['seed']}: {row['error']}")
    if answer["skipped"]:
        say(f"{len(answer['skipped']):,} bad files passed over")
    if answer["folder"]:
        say(f"all rows: {answer['folder']}/rows.csv, table.md, table.html")


def compared(answer: dict[str, Any]) -> None:
    """The table at the end of the demo: one column a model."""
    runs = answer["runs"]
    rows: list[list[Any]] = [
        [name, *(percent(run[key]) for run in runs)]
        for name, key in (("old classes", "old"), ("new classes", "new"), ("all classes", "all"))
    ]
    rows.append(["seconds to learn", *(f"{run['seconds']:.1f}" for run in runs)])
    header = ["", *(run["name"] for run in runs)]
    say()
    table(header, rows, right=range(1, len(header)), aligned=True)
