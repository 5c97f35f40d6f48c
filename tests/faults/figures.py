"""Figures of the attacks, where EVERGROW_FIGURES names a file: `benchmarks/results/faults.json`.

tried: cases.  survived: those that ended as they should.  lost: models that were not as before or
after.  foreign: errors that are none of ours.  code_run: programs started and connections made.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

RUNS = {"os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "pty.spawn"}
_seen: list[str] = []
_listening = False


def add(attack: str, tried: int, lost: int = 0, foreign: int = 0, code_run: int = 0) -> None:
    """Add the figures of one test to those of an attack."""
    place = os.environ.get("EVERGROW_FIGURES")
    if not place:
        return
    file = Path(place)
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    now = {
        "tried": tried,
        "survived": tried - lost - foreign - code_run,
        "lost": lost,
        "foreign": foreign,
        "code_run": code_run,
    }
    before = known.get(attack, {})
    known[attack] = {key: before.get(key, 0) + n for key, n in now.items()}
    file.write_text(json.dumps(known, indent=1) + "\n")


def code_run() -> int:
    """Programs started and connections made since the last look, in this process."""
    global _listening
    if not _listening:
        sys.addaudithook(lambda event, _: _seen.append(event) if event in RUNS else None)
        _listening = True
    count = len(_seen)
    _seen.clear()
    return count


def main() -> None:
    """Say on which machine and by which versions the figures came, and print them."""
    import platform

    from evergrow.storage import environment

    file = Path(sys.argv[1])
    known = json.loads(file.read_text())
    about = {"machine": f"{platform.machine()}, {os.cpu_count()} cores, {environment.cpu()}"}
    packages = environment.packages(environment.STORED)
    file.write_text(json.dumps({"about": about | packages} | known, indent=1) + "\n")
    print(file.read_text())


if __name__ == "__main__":
    main()
