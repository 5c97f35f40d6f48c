"""The program as a process: a second one, Ctrl-C, a reader who leaves, start without torch."""

import json
import signal
import subprocess
import sys
import time

from .bar_images import content, evergrow


def test_a_second_process_learns_on(ask, model, week_1, week_2):
    done = evergrow("learn", model, week_2, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version"] == 2 and done.stderr == ""
    assert ask("evaluate", model, week_1)["accuracy"] > 0.9


def test_ctrl_c_half_way_leaves_the_model_as_it_was(ask, week_1, tmp_path):
    model = tmp_path / "trained"
    ask("learn", model, week_1, "--method", "finetune", "--backbone", "mlp", "--epochs", "1")
    before = content(model)
    words = ["learn", str(model), str(week_1), "--again", "--epochs", "1000000"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    learning = subprocess.Popen([sys.executable, "-m", "evergrow", *words], **pipes)
    time.sleep(5)
    assert learning.poll() is None
    learning.send_signal(signal.SIGINT)
    out, err = learning.communicate(timeout=30)
    assert learning.returncode == 130
    assert out == "" and err == "evergrow: interrupted; the model is as it was\n"
    assert content(model) == before
    assert not list((model / "pending").iterdir())


def test_a_reader_who_leaves_is_no_error(learnt):
    program = f"{sys.executable} -m evergrow"
    line = f"{program} show {learnt} | {{ exec <&-; sleep 3; }}; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=100)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_help_and_show_need_no_torch(learnt):
    for words in (["--help"], ["learn", "--help"], ["show", str(learnt)], ["methods", "--json"]):
        code = (
            "import sys\nfrom evergrow.commands.cli.main import app\n"
            f"try: app({words!r})\nexcept SystemExit as end: assert not end.code\n"
            "heavy = {'torch', 'numpy', 'pandas', 'sklearn', 'pyarrow'} & set(sys.modules)\n"
            "assert not heavy, heavy"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_version_is_told_and_needs_no_command(run):
    from evergrow import __version__

    assert run("--version") == (0, f"evergrow {__version__}\n", "")
