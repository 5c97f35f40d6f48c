"""Imports point down the list of wings, and no files of a wing import one another in a circle."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "evergrow"

# From the bottom up. Every import counts: inside functions and for type checkers too.
ORDER = """
errors formatting registry
data storage nn training analytic backbones methods model checks distributed bench
commands server streams integrations __main__ __init__
""".split()

TO_COME = {"distributed", "server", "streams", "integrations"}  # not there yet; know their places
DOORS = {"sources", "metrics"}  # names for users that show what lies deeper; nothing here uses them

FILES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
}


def wing(module: str) -> str:
    """The entry of ORDER, or the door, that a module belongs to."""
    return module.partition(".")[0]


def imported(module: str) -> Iterator[str]:
    """Modules of evergrow that one imports, anywhere in its file."""
    path = FILES[module]
    package = ["evergrow", *path.relative_to(SOURCE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "evergrow":
                yield longest(name.removeprefix("evergrow").removeprefix("."))


def longest(name: str) -> str:
    """The module that a dotted name begins with: a file, or a folder's own."""
    while name and name not in FILES:
        name = name.rpartition(".")[0]
    return name or "__init__"


IMPORTS = {module: {*imported(module)} - {module} for module in FILES}


def circles(modules: Iterable[str]) -> list[str]:
    """What is left of `modules` once all that import no other one left are taken away."""
    left = {*modules}
    while free := {m for m in left if not IMPORTS[m] & left}:
        left -= free
    while free := {m for m in left if not any(m in IMPORTS[other] for other in left)}:
        left -= free  # these only lead into a circle
    return sorted(left)


def test_the_list_names_every_wing_and_no_other():
    assert len({*ORDER}) == len(ORDER)
    there = {wing(module) for module in FILES} - DOORS
    assert there - {*ORDER} == set(), "put a new wing into its place in ORDER"
    assert {*ORDER} - TO_COME - there - {"formatting", "registry"} == set()


def test_imports_point_down():
    place = {name: i for i, name in enumerate(ORDER)}
    assert [
        f"{module} imports {other}"
        for module in FILES
        for other in sorted(IMPORTS[module])
        if not {wing(module), wing(other)} & DOORS
        and place.get(wing(other), -1) > place.get(wing(module), -1)
    ] == []


def test_no_files_import_one_another_in_a_circle():
    found = {name: circles(m for m in FILES if wing(m) == name) for name in ORDER}
    assert {name: files for name, files in found.items() if files} == {}


def test_nothing_inside_comes_in_by_a_door():
    assert [
        f"{module} imports {other}"
        for module in FILES
        for other in sorted(IMPORTS[module])
        if wing(other) in DOORS and module != "__init__"
    ] == []


def test_every_file_says_in_its_first_line_what_it_is_for():
    first = {
        module: (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]
        for module, path in FILES.items()
    }
    assert [module for module, line in first.items() if not line.endswith((".", ":"))] == []
