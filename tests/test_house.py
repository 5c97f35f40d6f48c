"""The house: what stands where, what its map says, and that no file touches private names."""

import ast
import re
from pathlib import Path

import pytest

from tests.test_layers import DOORS, FILES, IMPORTS, ORDER, TO_COME, wing

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "evergrow", ROOT / "tests"
WINGS = [name for name in ORDER if (PACKAGE / name).is_dir()]
OWN = {"formatting", "registry"}  # of the house itself, beside what everybody knows
INNER = ["data/readers", "commands/cli", "commands/report"]


def purpose(folder: str) -> str:
    """The first line of what a wing says of itself."""
    text = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text()))
    return (text or "").split("\n")[0]


def test_at_the_top_stand_wings_and_what_everybody_needs():
    top = {path.stem for path in PACKAGE.glob("*.py")}
    assert top == {"__init__", "__main__", "errors", "checks"} | OWN | DOORS
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"} == {*WINGS}


@pytest.mark.parametrize("name", WINGS)
def test_a_wing_imports_what_it_says_and_no_other(name):
    _, imports, named = purpose(name).rstrip(".").partition(" Imports ")
    assert imports, "a wing says in its first line what it is for, and what it imports"
    allowed = set(WINGS[: WINGS.index(name)])
    if named == "no other wing":
        allowed = set()
    elif named != "every wing before it":
        allowed = set(named.split(", "))
        assert allowed < set(WINGS)
    theirs = {wing(other) for module in FILES if wing(module) == name for other in IMPORTS[module]}
    assert (theirs & set(WINGS)) - {name} <= allowed


def test_the_map_for_contributors_is_what_the_wings_say_and_fits_on_a_screen():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    house = re.search(r"```\nevergrow/\n(.*?)```", text, re.DOTALL)[1].splitlines()
    assert len(house) <= 40 and max(map(len, house)) <= 120
    lines = {line.split()[0].rstrip("/"): " ".join(line.split()[1:]) for line in house}
    assert {name: lines[name] for name in [*WINGS, *INNER]} == {
        name: purpose(name) for name in [*WINGS, *INNER]
    }
    assert [name for name in lines if name in WINGS] == WINGS
    assert TO_COME <= set(lines)


# Files whose tests go by another name.
SHOWN_ELSEWHERE = {
    "__init__": "tests/test_public.py",
    "__main__": "tests/test_main.py",
    "sources": "tests/test_public.py",
}


@pytest.mark.parametrize("module", [m for m in FILES if FILES[m].stem != "__init__"])
def test_every_file_has_a_test_of_its_name(module):
    folder = FILES[module].relative_to(PACKAGE).parent.parts
    own = Path("tests", *folder, f"test_{FILES[module].stem}.py").as_posix()
    assert (ROOT / SHOWN_ELSEWHERE.get(module, own)).exists()


def own(node: ast.Attribute) -> bool:
    """Whether it is an attribute of `self` or `cls`."""
    return isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}


def private(tree: ast.AST) -> set[str]:
    """Private names that a file makes: functions, classes, fields, attributes."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and own(node):
            names.add(node.attr)
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def touched(tree: ast.AST) -> set[str]:
    """Private names that a file reads, of anything but `self` and `cls`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            if not own(node):
                names.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names if alias.name.startswith("_")}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= set(re.findall(r"^evergrow[\w.]*\.(_[a-z]\w*)", node.value))
    return names


def test_nobody_touches_a_private_name_of_another_file():
    paths = [*PACKAGE.rglob("*.py"), *TESTS.rglob("*.py")]
    trees = {path: ast.parse(path.read_text()) for path in paths}
    made = {path: private(tree) for path, tree in trees.items()}
    house = set().union(*(made[path] for path in paths if PACKAGE in path.parents))
    assert {
        path.relative_to(ROOT).as_posix(): sorted(names)
        for path in paths
        if (names := (touched(trees[path]) & house) - made[path] - {"_version"})  # a tensor's
    } == {}
