"""Documentation is what the program is: commands, options, settings, changelog."""

import inspect
import re
import runpy
import tomllib
from pathlib import Path

import pytest

import evergrow
from evergrow import GrowingClassifier

ROOT = Path(__file__).parents[1]
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))


def test_the_command_reference_is_what_the_command_line_says():
    assert (ROOT / "docs" / "cli.md").read_text() == GENERATE["text"](), "run `make docs`"


def test_every_command_and_option_is_in_the_command_reference():
    text = (ROOT / "docs" / "cli.md").read_text()
    for name, command in GENERATE["commands"]().items():
        section = text.split(f"## evergrow {name}\n")[1].split("\n## ")[0]
        for parameter in command.params:
            for word in parameter.opts if parameter.param_type_name == "option" else []:
                assert word == "--help" or f"`{word}" in section, f"evergrow {name} {word}"
        assert command.help and command.help.splitlines()[0].endswith("."), name
        for parameter in command.params:
            assert getattr(parameter, "help", "."), f"{name} {parameter.name} has no help"


def test_every_parameter_is_in_the_table_of_settings():
    table = (ROOT / "docs" / "settings.md").read_text()
    for name, parameter in inspect.signature(GrowingClassifier).parameters.items():
        row = next((line for line in table.splitlines() if line.startswith(f"| `{name}`")), None)
        assert row, f"docs/settings.md says nothing of {name}"
        if parameter.default is not None:
            default = row.split("|")[3].strip().strip("`")
            assert default == str(parameter.default), row


def public() -> list[tuple[str, object]]:
    """What users call: the public names, and the public methods of the estimator."""
    members = inspect.getmembers(GrowingClassifier, inspect.isfunction)
    own = [(n, f) for n, f in members if f.__module__.startswith("evergrow") and n[0] != "_"]
    things = [(n, getattr(evergrow, n)) for n in evergrow.__all__ if n != "__version__"]
    entries = [*evergrow.methods.__all__, *evergrow.backbones.__all__]
    classes = [(n, getattr(evergrow.methods, n, None)) for n in entries]
    classes += [(n, getattr(evergrow.backbones, n)) for n in evergrow.backbones.__all__]
    return [*own, *things, *[(n, c) for n, c in classes if c is not None]]


@pytest.mark.parametrize("name, thing", public(), ids=lambda value: str(value)[:30])
def test_what_is_public_says_in_its_first_line_what_it_gives(name, thing):
    docstring = inspect.getdoc(thing)
    assert docstring, name
    assert len(docstring.splitlines()[0]) > 10, name


def test_the_changelog_says_what_is_new():
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[([^\]]+)\]", text, re.M)
    assert versions[0] == "Unreleased" or versions[0] == evergrow.__version__
    first = text.split("\n## [")[1]
    assert re.search(r"^- \S", first, re.M)


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {evergrow.__version__}\n" in citation


def test_documents_link_to_files_that_exist():
    for file in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", file.read_text()):
            if "://" not in target:
                assert (file.parent / target).exists(), f"{file.name} links to {target}"


def test_the_readme_begins_with_the_two_commands():
    top = (ROOT / "README.md").read_text()[:400]
    assert "make demo" in top and "make test" in top


def test_every_dependency_has_an_open_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [d for group in project["optional-dependencies"].values() for d in group]
    for requirement in [*project["dependencies"], *extras]:
        assert "==" not in requirement and "<" not in requirement, requirement
