"""Walk the README as a newcomer does, with what is installed: its Python, then its quickstart.

    python scripts/walk_readme.py README.md

`make walk` runs it in an empty environment that holds the wheel alone, without extras. A command
that needs an extra passes if it names the line that installs it. Exits with 1 where one fails.
"""

import doctest
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits


def weeks(place: Path) -> None:
    """Folders as the quickstart has them: week-1, week-2, test, and photo.png."""
    digits = load_digits()
    for i, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        part = "test" if i % 3 == 0 else "week-1" if label < 5 else "week-2"
        folder = place / part / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray((image * 15.9).astype("uint8"))
        picture.save(folder / f"{i}.png")
        picture.save(place / "photo.png")


def commands(text: str) -> list[list[str]]:
    """The commands of the quickstart, in order."""
    block = re.search(r"## Quickstart\s+```\n(.*?)```", text, re.DOTALL)
    lines = block[1].splitlines() if block else []
    return [shlex.split(line, comments=True) for line in lines if line.startswith("evergrow ")]


def run(words: list[str], place: Path) -> bool:
    """Whether a command did what it should, or named the extra that it needs."""
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=place, capture_output=True, text=True, timeout=600
    )
    named = done.returncode == 2 and "pip install 'evergrow[" in done.stderr
    fine = done.returncode == 0 or named
    how = "needs an extra, and says so" if named else "done" if fine else done.stderr[-500:]
    print(f"{' '.join(words)}: {how}")
    return fine and "Traceback" not in done.stderr


def main() -> int:
    readme = Path(sys.argv[1]).resolve()
    failed, tried = doctest.testfile(str(readme), module_relative=False)
    print(f"{tried} lines of Python, {failed} failed")
    with tempfile.TemporaryDirectory() as place:
        weeks(Path(place))
        words = commands(readme.read_text())
        results = [run(each, Path(place)) for each in words]
    return 0 if words and all(results) and tried and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
