"""What `evergrow` offers, and what it costs to ask."""

import importlib
import json
import subprocess
import sys

import evergrow
import evergrow.bench.runner

HEAVY = ["torch", "sklearn", "pandas", "numpy", "pyarrow", "PIL", "rich", "typer"]


def modules_loaded_by(code: str) -> list[str]:
    """Which heavy libraries a fresh interpreter has imported after running `code`."""
    code += f"\nimport json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_public_names_are_these():
    assert sorted(evergrow.__all__) == [
        "GrowingClassifier",
        "__version__",
        "backbones",
        "load",
        "methods",
        "metrics",
    ]
    assert dir(evergrow) == sorted(evergrow.__all__)


def test_every_public_name_is_there():
    for name in evergrow.__all__:
        assert getattr(evergrow, name) is not None


def test_methods_are_compared_from_python_by_names_of_the_bench():
    assert modules_loaded_by("from evergrow import bench; bench.PUBLIC") == []
    assert all(getattr(evergrow.bench, name) is not None for name in evergrow.bench.__all__)
    assert evergrow.bench.run is evergrow.bench.runner.run


def test_an_unknown_name_is_an_attribute_error():
    try:
        importlib.import_module("evergrow").nothing  # noqa: B018
    except AttributeError as error:
        assert "nothing" in str(error)
    else:
        raise AssertionError("evergrow.nothing exists")


def test_importing_evergrow_imports_nothing_heavy():
    assert modules_loaded_by("import evergrow; evergrow.__version__") == []


def test_the_lists_of_methods_and_backbones_need_no_torch():
    code = "import evergrow; evergrow.methods.ENTRIES; evergrow.backbones.ENTRIES"
    assert modules_loaded_by(code) == []
