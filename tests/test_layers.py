"""Imports only point down this list: no circles, and a file is understood by those above it."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "evergrow"

ORDER = """
errors formatting registry
machine devices locks parameters progress
recall calibration accuracy_matrix resource_usage metrics outcome options randomness data views
labels pixels canvas images arrays chunk columns tokens forms frames idx npz tables listing samples
read_options array_reader text_files files inputs dataframe_reader datasets dataset_reader
path_reader sources source prepare looks
blocks featurecache network protocols precision losses springs branches backbones vae nearest memory
heldout exemplars
integers projection mahalanobis moments statistics leaveout readout novelty penalty solve opinion
loop methods resolve choose
plain_json state disk shelf featuredisk manifest folder lock store model facts advice judging
one_update saving adopting validate classifier
ledger resume configure checks trial update
scenarios conditions benchmark_data catalogue subject course tuning board results scoreboard
jobs making bench
demo charts history page modelpage resultspage report display console flags cli __main__
""".split()


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Everything in a file but what is imported for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node
            yield from nodes(node)


def imported(path: Path) -> Iterator[str]:
    """Names of evergrow modules imported anywhere in `path`, inside functions too."""
    for node in nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            up = len(path.relative_to(SOURCE).parts) - node.level
            base = [*path.relative_to(SOURCE).parts[:up], *(node.module or "").split(".")]
            yield from [p for p in base if p][:1] or [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("evergrow"):
            inner = (node.module or "").split(".")[1:2]
            yield from inner or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "evergrow":
                    yield from alias.name.split(".")[1:2]


def top(path: Path) -> str:
    """The entry of ORDER that a file belongs to."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


FILES = [path for path in sorted(SOURCE.rglob("*.py")) if path != SOURCE / "__init__.py"]


def test_the_list_names_every_module_and_no_other():
    assert len(set(ORDER)) == len(ORDER)
    assert {top(path) for path in FILES} == set(ORDER), "put a new file into its place in ORDER"


def test_imports_point_down():
    wrong = [
        f"{path.relative_to(SOURCE)} imports {other}"
        for path in FILES
        for other in imported(path)
        if other != top(path) and other not in ORDER[: place(top(path))]
    ]
    assert wrong == []


def place(name: str) -> int:
    """Position in ORDER; before all others where it is missing, which another test reports."""
    return ORDER.index(name) if name in ORDER else 0


def test_every_file_says_in_its_first_line_what_it_is_for():
    for path in [*FILES, SOURCE / "__init__.py"]:
        docstring = ast.get_docstring(ast.parse(path.read_text()))
        assert docstring, path
        assert docstring.splitlines()[0].endswith((".", ":")), path
