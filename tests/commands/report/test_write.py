"""The HTML report, as a browser would meet it."""

import html as markup
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from evergrow import GrowingClassifier
from evergrow.commands.learn import Source
from evergrow.commands.report import write
from evergrow.errors import DataError, ModelError
from tests.growing import images

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def charts(text: str) -> list[dict]:
    return [json.loads(markup.unescape(c)) for c in re.findall(r'data-chart="([^"]*)"', text)]


@pytest.fixture(scope="module")
def written(grown, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    answer = write.write(grown.path, path)
    assert answer == {"report": str(path), "bytes": path.stat().st_size}
    return path


def test_a_report_holds_all_parts_and_loads_nothing(written):
    text = written.read_text()
    for title in ("Accuracy over updates", "Confusion", "Classes", "Calibration", "Versions"):
        assert f"<h2>{title}</h2>" in text
    body = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", body) and "@import" not in body


def test_its_charts_show_the_figures_of_the_manifests(written, grown):
    found = grown.manifest(3)["update"]["report"]
    line = charts(written.read_text())[0]["data"]
    assert [series["name"] for series in line] == ["old classes", "new classes", "all classes"]
    assert line[0]["y"][2] == found["old"] and line[0]["error_y"]["array"][2] > 0
    matrix = charts(written.read_text())[1]["data"][0]
    assert matrix["z"][0][1] is None and matrix["z"][2][2] == found["new"]


def test_samples_of_your_own_are_judged_and_their_mistakes_shown(grown, tmp_path):
    x, y = images(0, 1)
    np.savez(tmp_path / "own.npz", x=x, y=(y + 1) % 2)  # each labelled as the other
    write.write(grown.path, tmp_path / "own.html", Source(tmp_path / "own.npz"))
    text = (tmp_path / "own.html").read_text()
    assert "<h2>On your samples</h2>" in text and "0, taken for 1" in text
    own = text[text.index("On your samples</h2>") :]
    assert own.count("data:image/png;base64,") >= 8


def test_labels_are_text_and_never_markup(tmp_path):
    x, _ = images(0, 1)
    labels = np.repeat(["<script>alert(1)</script>", "b&b"], 60)
    GrowingClassifier("none", validation=20).partial_fit(x, labels).save(tmp_path / "model")
    write.write(tmp_path / "model", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<script>alert" not in text and "b&amp;b" in text


def test_a_model_that_was_never_judged_has_a_report_too(tmp_path):
    GrowingClassifier("none").partial_fit(*images(0, 1)).save(tmp_path / "model")
    write.write(tmp_path / "model", tmp_path / "report.html")
    assert "nothing was judged" in (tmp_path / "report.html").read_text()


def test_what_cannot_be_reported_on_is_said(tmp_path, grown):
    with pytest.raises(ModelError):
        write.write(tmp_path / "none", tmp_path / "report.html")
    with pytest.raises(DataError, match="cannot be written"):
        write.write(grown.path, tmp_path / "no" / "report.html")
    np.savez(tmp_path / "own.npz", x=images(6)[0], y=images(6)[1])
    with pytest.raises(DataError, match="none of these labels"):
        write.write(grown.path, tmp_path / "own.html", Source(tmp_path / "own.npz"))


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_draws_it_without_an_error_or_a_request(written, tmp_path):
    log = tmp_path / "net.json"
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"]
    words += ["--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom", f"file://{written}"]
    done = subprocess.run([CHROMIUM, *words], capture_output=True, text=True, timeout=100)
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count('class="main-svg"') >= 2 * len(charts(written.read_text()))
    requests = re.findall(r'"url":"(https?://[^"]*)"', log.read_text())
    assert [url for url in requests if "google" not in url and "gvt1" not in url] == []
