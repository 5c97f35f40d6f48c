"""The two types of labels are those that the reader and the command line know."""

import subprocess
import sys
from typing import get_args

from evergrow.data.label_type import LabelType


def test_labels_are_text_or_int_and_saying_so_needs_no_numpy():
    assert {name for part in get_args(LabelType) for name in get_args(part)} == {"text", "int"}
    code = "import sys, evergrow.data.label_type; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
