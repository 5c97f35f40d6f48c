"""Commands for developers: methods and backbones listed, a method of one's own."""

import sys


def test_methods_and_backbones_are_listed(ask, run):
    assert {"finetune", "joint", "er", "der++", "ncm", "lda", "ridge"} <= {
        m["name"] for m in ask("methods")["methods"]
    }
    assert {"patches", "mlp", "none"} <= {b["name"] for b in ask("backbones")["backbones"]}
    assert run("methods")[1].startswith("family\t") and run("backbones")[0] == 0


def test_a_method_of_ones_own_is_named_by_module_and_class(ask, run, tmp_path, week_1, monkeypatch):
    (tmp_path / "mine_of_cli_test.py").write_text(
        "from dataclasses import dataclass\n"
        "from evergrow.methods import FineTune\n"
        "@dataclass(eq=False)\n"
        "class Mine(FineTune):\n"
        "    'Fine-tuning by another name.'\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    name = "mine_of_cli_test:Mine"
    words = ("--method", name, "--backbone", "mlp", "--epochs", "1")
    assert ask("learn", "model", week_1, *words)["method"] == name
    assert ask("evaluate", "model", week_1, "--method", name)["samples"] == 36
    assert ask("learn", "model", week_1, "--again", "--method", name)["version"] == 2
    code, _, err = run("predict", "model", week_1)
    assert code == 1 and "one of evergrow's methods" in err
    assert ask("check", name)["passed"] is True
