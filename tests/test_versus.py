"""benchmarks/versus.py: what is chosen, what is kept, what the tables say; the peer itself is not
needed for it."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import bare  # noqa: E402
import versus  # noqa: E402

sys.path.pop(0)


@pytest.fixture
def small(monkeypatch):
    """Ten classes of 20 random images in place of Fashion-MNIST."""
    rng, y = np.random.default_rng(0), np.repeat(np.arange(10), 20)
    x = rng.integers(0, 256, (200, 28, 28), dtype=np.uint8)
    monkeypatch.setattr(versus, "data", lambda: (x, y, x, y))
    return x, y


def result(run, **more):
    return asdict(run) | {"last": 0.5, "average": 0.6, "cpu": 1, "wall": 2, "megabytes": 7} | more


def test_the_largest_rate_within_a_standard_error_of_the_best_is_chosen():
    # error at 0.9 of 100 samples: 0.03
    assert versus.chosen({0.02: 0.9, 0.05: 0.88, 0.1: 0.86}, 100) == 0.05


def test_what_is_held_back_is_not_learnt(small):
    chunks, xt, yt = versus.parts(versus.Run("er", "ours", part="all"))
    learnt = {image.tobytes() for images, _ in chunks for image in images}
    assert (sum(len(y) for _, y in chunks), len(yt)) == (180, 20)
    assert not learnt & {image.tobytes() for image in xt}


def test_the_first_task_is_judged_on_its_own_classes(small):
    out = versus.done(versus.Run("finetune", "bare", part="first", epochs=1), None)
    assert len(out["accuracies"]) == 1


def test_a_run_that_is_kept_is_not_run_again(tmp_path, monkeypatch):
    ran = []

    def process(command, **_):
        ran.append(versus.json.loads(command[-1]))
        lines = [versus.json.dumps(result(versus.Run(**fields))) for fields in ran[-1]]
        return type("Process", (), {"returncode": 0, "stdout": "\n".join(lines) + "\n"})

    monkeypatch.setattr(versus.subprocess, "run", process)
    kept, run = versus.Kept(tmp_path / "runs.jsonl"), versus.Run("er", "ours")
    kept.results([run])
    assert [r["seed"] for r in kept.results([run, replace(run, seed=1)])] == [0, 1]
    assert [[fields["seed"] for fields in once] for once in ran] == [[0], [1]]
    assert versus.Kept(tmp_path / "runs.jsonl").rows == kept.rows


def test_the_tables_hold_medians_and_their_ratios():
    run = versus.Run("er", "ours", lr=0.05)
    results = [
        *(
            result(replace(run, seed=s), cpu=c, last=a)
            for s, c, a in zip((0, 1, 2), (2, 9, 3), (0.7, 0.75, 0.8), strict=True)
        ),
        result(replace(run, side="peer"), cpu=6),
        result(replace(run, side="bare"), cpu=2),
        result(replace(run, path="default"), cpu=4),
        result(replace(run, side="peer", path="default"), cpu=10),
        result(replace(run, path="pictures"), cpu=5),
    ]
    entries = versus.summary(results)
    assert versus.accuracies(entries)[-1] == "| Replay | 75.0 | 50.0 | 60.0 | 60.0 | 0.05 |"
    assert versus.costs(entries)[-1] == (
        "| Replay | 3.0 (1.50) | 6.0 (3.00) | **2.00** | 4.0 (2.00) | 10.0 (5.00) | **2.50** | "
        "5.0 (2.50) | **2.00** | 7 / 7 |"
    )


@pytest.mark.parametrize("row", versus.ROWS)
@pytest.mark.parametrize("side", ["ours", "bare"])
def test_every_row_runs_on_our_side_and_by_hand(row, side, small):
    out = versus.done(versus.Run(row, side, epochs=1, strength=1.0), None)
    assert len(out["accuracies"]) == 5 and out["average"] == np.mean(out["accuracies"])


def test_sides_take_turns_and_only_what_was_chosen_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(versus, "rate", lambda row, kept: 0.05)
    monkeypatch.setattr(versus, "strength", lambda row, side, lr, kept: {"bare": 1}.get(side, 2))
    runs = versus.plan(["ewc"], 2, None)
    small = [r for r in runs if r.batch == versus.SMALL["batch"]]
    large = [r for r in runs if r not in small]
    sides = ["ours", "peer", "bare"]
    assert [r.side for r in large if r.path == "memory"] == sides + sides[::-1]
    assert [r.side for r in small] == sides
    assert {(r.side, r.lr, r.strength) for r in large} == {
        ("ours", 0.05, 2),
        ("peer", 0.05, 2),
        ("bare", 0.05, 1),
    }


def test_without_the_peer_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(versus, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["versus.py"])
    with pytest.raises(SystemExit, match="make versus"):
        versus.main()


def test_tables_are_made_of_runs_that_are_kept_alone(tmp_path):
    kept = versus.Kept(tmp_path / "runs.jsonl", measuring=False)
    with pytest.raises(SystemExit, match="`make versus` runs it"):
        kept.results([versus.Run("er", "ours")])


def test_every_loop_by_hand_is_a_row():
    assert set(bare.LOOPS) == set(versus.ROWS)


def test_pictures_and_arrays_give_the_same_model(small):
    runs = [versus.Run("er", "ours", path=path, epochs=1) for path in ("memory", "pictures")]
    first, second = (versus.done(run, None)["accuracies"] for run in runs)
    assert first == second


def test_the_data_set_that_torchvision_reads_is_the_same_data(small, tmp_path):
    pytest.importorskip("torchvision")
    versus.unpack(tmp_path, 5)
    subset = versus.subsets(tmp_path)[1]  # classes 2 and 3, five images of each
    assert [label for _, label in subset] == [2] * 5 + [3] * 5
    assert np.array_equal(np.asarray(subset[5][0]), small[0][60])
