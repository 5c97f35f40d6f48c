"""What a command answers with: words or JSON, one message, an exit code."""

import json

import pytest
import typer

from evergrow.commands.cli import output
from evergrow.errors import DataError, GateError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DataError("X is empty."), "X is empty."),
        (OSError(28, "No space left", "a/b"), "a/b: No space left; the model is as it was."),
        (MemoryError(), "out of memory; the model is as it was."),
        (KeyError("x"), "this was not foreseen: KeyError: 'x'. The model is as it was."),
    ],
)
def test_a_message_says_what_happened_and_that_the_model_is_safe(error, said):
    assert output.message(error).startswith(said)


def app() -> typer.Typer:
    commands = typer.Typer(cls=output.Commands, add_completion=False)

    @commands.command()
    def fails(as_json: bool = typer.Option(False, "--json")) -> None:
        raise GateError("refused.", {"old": 0.5, "samples": 3})

    @commands.command()
    def waits(as_json: bool = typer.Option(False, "--json")) -> None:
        raise KeyboardInterrupt

    @commands.command()
    def answers(as_json: bool = typer.Option(False, "--json")) -> None:
        result = {"n": 3, "warnings": ["look"]}
        output.answer(result, as_json, lambda found: print(f"n is {found['n']}"))

    return commands


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        app()(list(words))
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_a_failure_is_one_json_object_with_its_report(capsys):
    code, out, err = run(capsys, "fails", "--json")
    assert code == 3 and err == ""
    assert json.loads(out) == {
        "error": {"type": "GateError", "message": "refused."},
        "report": {"old": 0.5, "samples": 3},
    }


def test_an_interrupt_says_that_the_model_is_as_it_was(capsys):
    code, out, err = run(capsys, "waits")
    assert (code, out) == (130, "") and "the model is as it was" in err


def test_an_answer_is_words_or_json_and_its_warnings_stand_apart(capsys):
    assert run(capsys, "answers") == (0, "n is 3\n", "note: look\n")
    code, out, err = run(capsys, "answers", "--json")
    assert json.loads(out) == {"n": 3, "warnings": ["look"]} and err == "note: look\n"


def test_a_wrong_option_is_usage_as_json_too(capsys):
    code, out, _ = run(capsys, "answers", "--json", "--lr", "1")
    assert code == 2 and "--lr" in json.loads(out)["error"]["message"]


def test_what_is_done_is_no_failure_where_the_answer_cannot_be_written(capsys, monkeypatch):
    monkeypatch.setattr(output, "hush", lambda: None)
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def show(found, error=error):
            raise error

        with pytest.raises(typer.Exit) as left:
            output.answer_done({"version": 3}, False, show)
        assert left.value.exit_code == 0
        said = capsys.readouterr().err
        assert "what was asked for is done: version 3 is current" in said
        assert ("No space left" in said) == isinstance(error, OSError)
    output.answer_done({"version": 3}, True, show)
    assert json.loads(capsys.readouterr().out) == {"version": 3}


def test_nothing_that_is_printed_moves_the_cursor(capsys):
    strange = "cat\x1b[2J\x07\u202e"
    output.answer({"label": strange, "warnings": [strange]}, False, lambda r: print(r["label"]))
    output.fail("DataError", f"no such file: {strange}\nand more", False)
    shown = capsys.readouterr()
    assert shown.out == "cat\\x1b[2J\\x07\\u202e\n"
    assert "\x1b" not in shown.err and "\u202e" not in shown.err and "\nand more" in shown.err
    output.answer({"label": strange}, True, print)
    assert json.loads(capsys.readouterr().out) == {"label": strange}
