"""Misspelt paths, names and settings are said with the nearest one, and before torch is there."""

import subprocess
import sys

import numpy as np
import pytest

from evergrow.commands.preflight import check_names, check_paths
from evergrow.data.source import Source
from evergrow.errors import DataError, SettingError
from evergrow.model.options import How


def test_a_path_that_is_not_there_is_said_with_the_nearest(tmp_path):
    (tmp_path / "week-1").mkdir()
    (tmp_path / "t10k-images-idx3-ubyte").touch()
    check_paths(
        [tmp_path / "week-1", None, Source(str(tmp_path / "t10k")), np.eye(2), ["a text"][:0]]
    )
    with pytest.raises(
        DataError, match=r"week1: no such file or folder \(did you mean .*week-1\?\)"
    ):
        check_paths([None, [tmp_path / "week-1", tmp_path / "week1"]])
    with pytest.raises(DataError, match="no such file or folder; check the path"):
        check_paths([tmp_path / "gone" / "deep"])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (How({"method": "lada"}), r"no method 'lada' \(did you mean lda\?\)"),
        (How({"backbone": "patchs"}), r"no backbone 'patchs' \(did you mean patches\?\)"),
        (How({}, ["epoch=3"]), r"no setting 'epoch' \(did you mean epochs"),
        (
            How({"method": "er"}, ["memry=3"]),
            "er has no setting 'memry' .did you mean memory",
        ),
        (
            How({"backbone": "mlp"}, ["backbone.hiden=3"]),
            "no setting 'hiden' .did you mean hidden",
        ),
        (How({}, ["memory"]), "key=value"),
    ],
)
def test_names_that_there_are_not(how, said):
    with pytest.raises(SettingError, match=said):
        check_names(how, None)


def test_what_there_is_passes():
    for how in (
        How({"method": "er", "backbone": "timm:resnet18"}, ["memory=3", "backbone.layers=2"]),
        How({"method": "mine:Own"}, ["whatever=3"]),
        How({"method": "gate"}, ["accept=0.5"]),
        How({}, ["momentum=0.5"]),
    ):
        check_names(how, None)
    learnt = {"method": {"name": "er"}, "backbone": {"name": "own"}}
    check_names(How({}, ["memory=3"]), learnt)
    with pytest.raises(SettingError, match="method er has no setting 'keep'"):
        check_names(How({}, ["keep=3"]), learnt)


@pytest.mark.parametrize(
    "words",
    [
        ["learn", "m", "gone"],
        ["learn", "m", ".", "--method", "lada"],
        ["learn", "m", ".", "--set", "epoch=3"],
        ["advise", "m", ".", "--backbone", "patchs"],
        ["predict", "m", "gone"],
        ["evaluate", "m", "gone"],
    ],
)
def test_torch_is_not_imported_for_it(tmp_path, words):
    code = (
        "import sys; from evergrow.commands.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "False" and done.stderr.startswith("evergrow: "), done
