"""python -m evergrow is the command."""

import subprocess
import sys


def test_the_package_runs_as_a_module():
    words = [sys.executable, "-m", "evergrow", "--help"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0 and "learn" in done.stdout
