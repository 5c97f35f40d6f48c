"""What the store says of a version, checked by types; and what importing that costs."""

import subprocess
import sys

import pytest

from evergrow.storage.durable_files import Fault
from evergrow.storage.manifest_schema import Sealed, Version, checked

FILE = {"sha256": "0" * 64, "bytes": 3}
WHOLE = {
    "format": 1, "version": 2, "parent": 1, "time": "2026-01-01T00:00:00+00:00", "pruned": False,
    "files": {"serving.safetensors": FILE}, "blobs": {}, "packages": {"torch": "2.5", "x": None},
}  # fmt: skip


def test_what_the_store_writes_is_taken():
    checked(Version, WHOLE)
    checked(Version, WHOLE | {"parent": None, "more": [1]})
    checked(Sealed, {"format": 1, "files": {}, "blobs": {}})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("version", 0, "version: "),
        ("version", True, "version: "),
        ("parent", "1", "parent: "),
        ("time", None, "time: "),
        ("pruned", 1, "pruned: "),
        ("files", [], "files: "),
        ("files", {"a": FILE | {"bytes": -1}}, "files.a.bytes: "),
        ("blobs", {"b": FILE | {"sha256": "../../etc"}}, "blobs.b.sha256: "),
        ("packages", {"torch": 2}, "packages.torch: "),
    ],
)
def test_what_is_wrong_is_named(field, value, said):
    with pytest.raises(Fault, match=f"manifest.json, {said}"):
        checked(Version, WHOLE | {field: value})


@pytest.mark.parametrize("field", ["version", "parent", "time", "pruned", "files", "blobs"])
def test_what_is_missing_is_named(field):
    rest = {key: value for key, value in WHOLE.items() if key != field}
    with pytest.raises(Fault, match=f"manifest.json, {field}: field required"):
        checked(Version, rest)


def test_help_does_not_wait_for_it():
    code = (
        "import sys; from evergrow.commands.cli.main import main\n"
        "sys.argv = ['evergrow', '--help']\n"
        "try: main()\n"
        "except SystemExit: print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
