"""Sentence encoders by name or path: what they read, and that a folder holds all of it."""

import json
import shutil
import socket
import sys

import numpy as np
import pytest
import torch

from evergrow import GrowingClassifier, backbones, load
from evergrow.backbones import text
from evergrow.errors import DataError, EvergrowError, SettingError

from .encoders import LABELS, TEXTS

pytest.importorskip("sentence_transformers")
bundled = pytest.mark.skipif(not text.installed(), reason="needs evergrow[text]")


def test_texts_are_learnt_in_two_steps_and_a_folder_holds_the_encoder(tiny, tmp_path):
    there = shutil.copytree(tiny, tmp_path / "encoder")
    model = GrowingClassifier(f"text:{there}", random_state=3)
    model.partial_fit(TEXTS[:3], LABELS[:3]).partial_fit(np.array(TEXTS[3:], object), LABELS[3:])
    assert model.method_ == "lda" and model.classes_.tolist() == ["pets", "sky"]
    assert model.score(TEXTS, LABELS) == 1.0
    model.save(tmp_path / "model")
    shutil.rmtree(there)
    again = load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    for one in (again, model):
        one.partial_fit(["snow rain", "snow"], ["snow", "snow"])
    assert np.array_equal(again.decision_function(TEXTS), model.decision_function(TEXTS))


def test_the_form_names_the_tokenizer_and_is_plain_json(tiny):
    form = GrowingClassifier(f"text:{tiny}").partial_fit(TEXTS, LABELS).prepare_
    assert (form["kind"], form["length"], form["tokenizer"]["name"]) == ("text", 6, tiny)
    assert len(form["tokenizer"]["sha256"]) == 64 and json.loads(json.dumps(form)) == form


def test_an_encoder_whose_tokenizer_is_another_today_is_refused(tiny):
    model = GrowingClassifier(f"text:{tiny}").partial_fit(TEXTS, LABELS)
    form = dict(model.prepare_, tokenizer=model.prepare_["tokenizer"] | {"sha256": "0" * 64})
    with pytest.raises(SettingError, match="another tokenizer than the one"):
        backbones.get(f"text:{tiny}").build(form, torch.Generator())


def test_texts_that_are_cut_are_counted(tiny):
    long = "cat dog red cat dog red now"  # 7 tokens where 6 are read
    model = GrowingClassifier(f"text:{tiny}").partial_fit([*TEXTS, long], [*LABELS, "pets"])
    assert model.update_["warnings"] == ["1 of 7 texts are longer than 6 tokens and were cut"]
    assert model.partial_fit(TEXTS, LABELS).update_["warnings"] == []


@pytest.mark.parametrize("method", ["er", "der++", "ewc"])
def test_an_encoder_is_fine_tuned_and_its_memory_saved(tiny, tmp_path, method):
    model = GrowingClassifier(f"text:{tiny}", method, epochs=2, validation=1)
    state = torch.random.get_rng_state()
    model.partial_fit(TEXTS, LABELS)
    before = model.net_.backbone.transformer.embeddings.word_embeddings.weight.clone()
    model.partial_fit(["snow", "rain rain"] * 6, ["snow", "rain"] * 6)
    assert not torch.equal(
        before, model.net_.backbone.transformer.embeddings.word_embeddings.weight
    )
    assert torch.equal(state, torch.random.get_rng_state())
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    for one in (model, again):
        one.partial_fit(["now moon"] * 3, ["when"] * 3)
    assert np.array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_advice_is_given_on_texts(tiny):
    model = GrowingClassifier(f"text:{tiny}", "er", epochs=1).partial_fit(TEXTS * 4, LABELS * 4)
    assert isinstance(model.advise(["snow"] * 20, ["snow"] * 20), list)


def test_other_data_is_refused_by_kind(tiny):
    with pytest.raises(SettingError, match="reads text data, this is table data"):
        GrowingClassifier(f"text:{tiny}").partial_fit(np.zeros((4, 3)), [0, 0, 1, 1])
    with pytest.raises(SettingError, match="reads image data, this is text data"):
        GrowingClassifier("patches").partial_fit(TEXTS, LABELS)
    model = GrowingClassifier(f"text:{tiny}").partial_fit(TEXTS, LABELS)
    with pytest.raises(DataError, match="but this model was started with text data"):
        model.predict(np.zeros((4, 8, 8)))


def test_settings_and_names_that_there_are_not(tmp_path):
    with pytest.raises(SettingError, match="depths=0"):
        backbones.get("text:all-MiniLM-L6-v2", depths=0)
    with pytest.raises(SettingError, match="text:<network>"):
        backbones.get("text")
    with pytest.raises(SettingError, match=r"could not give .*evergrow\[text\]"):
        GrowingClassifier(f"text:{tmp_path}").partial_fit(TEXTS, LABELS)


def test_an_encoder_of_other_parts_is_refused_with_their_names(tiny, tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling

    whole = SentenceTransformer(tiny, device="cpu")
    for extra, words in (
        ([Pooling(8, "mean"), Dense(8, 4)], "Pooling, Dense"),
        ([Pooling(8, "lasttoken")], "lasttoken"),
    ):
        path = str(tmp_path / words)
        made = SentenceTransformer(modules=[whole[0], *extra], device="cpu")
        made.save(path, create_model_card=False)
        with pytest.raises(SettingError, match=f"{words}.*expected a plain transformer"):
            GrowingClassifier(f"text:{path}").partial_fit(TEXTS, LABELS)


def test_without_the_library_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EvergrowError, match=r"sentence-transformers, which is not installed: pip"):
        GrowingClassifier().partial_fit(TEXTS, LABELS)


@bundled
def test_texts_go_to_the_encoder_that_comes_along_and_nothing_is_downloaded(monkeypatch):
    def refuse(*args):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    texts = ["The match ended in a draw.", "She scored two goals.", "Bake it for an hour."]
    model = GrowingClassifier().partial_fit(texts, ["sport", "sport", "food"])
    assert model.backbone_ == "text:all-MiniLM-L6-v2" and model.net_.width == 7 * 384
    assert "pretrained sentence encoder" in model.reason_
    asked = ["The goalkeeper was injured.", "Add salt and butter to the dough."]
    assert model.predict(asked).tolist() == ["sport", "food"]


@pytest.fixture
def run(capsys):
    """Run a command: its exit code, its answer, what it said beside."""
    from evergrow.commands.cli.main import app

    def call(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            app([*map(str, words), "--json"])
        said = capsys.readouterr()
        return ended.value.code or 0, json.loads(said.out), said.err

    return call


def test_texts_are_learnt_and_predicted_at_the_command_line(tiny, tmp_path, run):
    notes, week = tmp_path / "notes.csv", tmp_path / "week"
    lines = [
        f"{i},{topic},{body}" for i, (body, topic) in enumerate(zip(TEXTS, LABELS, strict=True))
    ]
    notes.write_text("\n".join(["id,topic,body", *lines]))
    columns = "--text", "body", "--label", "topic"
    code, answer, _ = run("learn", tmp_path / "m", notes, *columns, "--backbone", f"text:{tiny}")
    assert code == 0 and answer["new_classes"] == ["pets", "sky"] and answer["samples"] == 6
    assert run("learn", tmp_path / "m", notes, *columns)[1]["passed_over"] == 6
    for name, words in (("a", "snow"), ("b", "snow now"), ("c", "snow " * 9)):
        (week / "snow").mkdir(parents=True, exist_ok=True)
        (week / "snow" / f"{name}.txt").write_text(words)
    code, answer, said = run("learn", tmp_path / "m", week)
    assert answer["classes"] == ["pets", "sky", "snow"] and code == 0
    assert "note: 1 of 3 texts are longer than 6 tokens and were cut" in said
    found = run("predict", tmp_path / "m", week)[1]["predictions"]
    assert [p["label"] for p in found] == ["snow"] * 3 and found[0]["input"].endswith("a.txt")
    assert run("predict", tmp_path / "m", notes, "--text", "body")[1]["predictions"][0]["label"]


def test_wrong_columns_are_named(tiny, tmp_path, run):
    notes = tmp_path / "notes.csv"
    notes.write_text("topic,body\npets,cat\nsky,sun\n")
    for words, message in (
        (("--text", "boddy", "--label", "topic"), "no text column 'boddy'"),
        (("--text", "body", "--label", "subject"), "no label column (expected 'subject')"),
    ):
        code, answer, _ = run("learn", tmp_path / "m", notes, *words)
        assert code == 1 and message in answer["error"]["message"]
    assert not (tmp_path / "m" / "HEAD").exists()
