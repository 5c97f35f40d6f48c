"""What a benchmark has to run."""

import numpy as np
import pytest

from evergrow.bench import plan
from evergrow.bench.benchmark_data import BenchmarkData
from evergrow.bench.plan import PlanRequest
from evergrow.bench.task_streams import Cut
from evergrow.data import read
from evergrow.errors import SettingError
from evergrow.model.options import How

IMAGES = BenchmarkData(read.read(np.full((8, 8, 8), 90, np.uint8), [0, 1, 2, 3] * 2))
TABLE = BenchmarkData(read.read(np.zeros((8, 3)), [0, 1, 2, 3] * 2))


def planned(methods, settings=None, words=(), data=IMAGES, cut=None, **rest):
    how = How(settings or {}, words)
    return plan.plan(PlanRequest("mine", data, cut or Cut(2), methods, how, **rest))


def seen(found):
    return [(job.row["method"], job.row["backbone"], job.row["role"]) for job in found]


def test_floor_and_ceiling_stand_beside_on_the_same_backbone_where_it_trains():
    assert seen(planned(["er"], {"backbone": "mlp"})) == [
        ("er", "mlp", None),
        ("finetune", "mlp", "floor"),
        ("joint", "mlp", "ceiling"),
    ]


def test_beside_a_fixed_backbone_they_have_one_that_trains():
    assert seen(planned(["lda"]))[1:] == [
        ("finetune", "convnet", "floor"),
        ("joint", "convnet", "ceiling"),
    ]
    found = planned(["lda"], {"backbone": "fourier"}, ["backbone.width=64"], TABLE)
    assert [row[1] for row in seen(found)] == ["fourier", "mlp", "mlp"]


def test_methods_asked_for_are_run_once_and_as_asked():
    found = planned(["joint", "ncm", "ncm"], {"backbone": "none"})
    assert [row[:2] for row in seen(found)] == [
        ("joint", "none"),
        ("ncm", "none"),
        ("finetune", "convnet"),
    ]


def test_a_word_goes_to_the_methods_that_have_such_a_setting():
    words = ["memory=50", "momentum=0.5", "backbone.hidden=8"]
    found = planned(["er", "ncm"], {"backbone": "mlp"}, words)
    assert found[0].row["settings"] == {"memory": 50, "replay": 32}
    assert all(job.row["parameters"]["momentum"] == 0.5 for job in found)
    assert all(job.row["parameters"]["backbone"] == {"hidden": [8]} for job in found)
    model = found[0].classifier(seed=4, lr=0.25)
    assert (model.method.memory, model.random_state, model.lr) == (50, 4, 0.25)


def test_a_word_that_no_method_takes_is_refused():
    with pytest.raises(SettingError, match="no setting 'memory'"):
        planned(["ncm"], {}, ["memory=50"])


def test_a_stream_is_learnt_in_one_pass_and_the_ceiling_is_given_tasks():
    found = planned(["er"], {"backbone": "mlp"}, cut=Cut(2, batch=10))
    assert [job.cut.batch for job in found] == [10, 10, 0]
    assert [job.row["parameters"]["epochs"] for job in found] == [1, 1, 10]
    assert found[0].row["parameters"]["boundary"] == "new classes"
    said = planned(
        ["er"], {"backbone": "mlp", "epochs": 3}, ["boundary=task"], cut=Cut(2, batch=10)
    )
    assert (said[0].row["parameters"]["epochs"], said[0].row["parameters"]["boundary"]) == (
        3,
        "task",
    )


def test_every_training_sample_is_learnt_unless_told_else():
    assert [job.row["parameters"]["validation"] for job in planned(["er"])] == [0, 0, 0]
    assert planned(["er"], {"validation": 5})[0].row["parameters"]["validation"] == 5
    assert planned(["er"], {}, ["validation=4"])[0].row["parameters"]["validation"] == 4


def test_a_key_is_of_everything_that_defines_a_row():
    def key(seed=0, data=IMAGES, settings=None, words=(), **rest):
        return planned(["er"], {"backbone": "mlp"} | (settings or {}), words, data, **rest)[0].key(
            seed
        )

    other = BenchmarkData(read.read(np.full((8, 8, 8), 91, np.uint8), [0, 1, 2, 3] * 2))
    keys = [
        key(),
        key(seed=1),
        key(data=other),
        key(settings={"epochs": 3}),
        key(settings={"lr": 0.1}),
        key(words=["memory=50"]),
        key(cut=Cut(2, blurry=0.1)),
        key(tune=True),
    ]
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]


def test_a_device_is_no_part_of_a_key():
    keys = [planned(["ncm"], {"device": d})[0].key(0) for d in ("cpu", "auto")]
    assert keys[0] == keys[1]


def test_a_method_of_ones_own_is_another_once_its_file_changes(tmp_path, monkeypatch):
    import importlib
    import linecache
    import sys

    code = (
        "from evergrow.methods.finetune import FineTune\n\n\nclass Mine(FineTune):\n    '''{}'''\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    keys = []
    for text in ("One.", "Another.", "Another."):
        (tmp_path / "mine_of_jobs.py").write_text(code.format(text))
        sys.modules.pop("mine_of_jobs", None)
        importlib.invalidate_caches()
        linecache.clearcache()
        keys.append(planned(["mine_of_jobs:Mine"], {"backbone": "mlp"})[0].key(0))
    sys.modules.pop("mine_of_jobs", None)
    assert keys[0] != keys[1] == keys[2]


def test_only_methods_that_train_are_tuned():
    found = planned(["lda", "er"], {"backbone": "mlp"}, tune=True)
    assert [job.tune for job in found] == [False, True, True, True]
    assert found[1].row["parameters"]["lr"] == "tuned" and found[0].row["parameters"]["lr"] == 0.05


def test_a_learning_rate_is_chosen_or_given_not_both():
    with pytest.raises(SettingError, match="leave --lr out"):
        planned(["er"], {"lr": 0.1}, tune=True)


def test_files_are_told_apart_by_name_and_size(tmp_path):
    from PIL import Image

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.new("L", (9, 9), 90).save(tmp_path / folder / "x.png")
    one = plan.data_fingerprint(BenchmarkData(read.read(tmp_path)))
    assert plan.data_fingerprint(BenchmarkData(read.read(tmp_path))) == one
    Image.effect_noise((9, 9), 50).save(tmp_path / "a" / "x.png")
    assert plan.data_fingerprint(BenchmarkData(read.read(tmp_path))) != one
