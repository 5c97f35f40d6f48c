"""The tool itself on digits: nine methods side by side, 3 seeds, as `evergrow bench` runs them.

python benchmarks/bench_digits.py

Learning rates tuned, everything else at its default, one thread. Finished rows stand in the folder
EVERGROW_BENCHMARKS and are not run again.
"""

import os
import subprocess
import sys

from common import CACHE, read_rows, write_rows

from evergrow.bench import leaderboard
from evergrow.bench.results import Results

FOLDER = CACHE / "bench-digits"
CALLS = (
    "--method lda --method ridge --method ncm",
    "--backbone convnet --method er --method der++ --method reprise --method ewc",
)


def table():
    """Markdown: the table that the tool makes of its rows, without its heading."""
    return leaderboard.markdown(read_rows("bench_digits")).split("\n\n", 1)[1].splitlines()


def main():
    for words in CALLS:
        command = [sys.executable, "-m", "evergrow", "bench", "digits-5x2", *words.split()]
        subprocess.run(
            [*command, "--tune", "-o", FOLDER],
            check=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
    write_rows("bench_digits", Results(FOLDER).rows())
    print(*table(), sep="\n")


if __name__ == "__main__":
    main()
