import gzip
import json

import pandas as pd
import pytest

from evergrow.data.readers.table_files import read_frame
from evergrow.errors import DataError

FRAME = pd.DataFrame({"a": [1.5, 2.5], "b": [1, 2], "label": ["x", "y"]})


def read(path, column="label"):
    return read_frame(path, lambda columns: [column])[0]


def test_every_format_gives_the_same_table(tmp_path):
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    FRAME.to_csv(tmp_path / "a.csv.gz", index=False)
    FRAME.to_csv(tmp_path / "b.csv", index=False, sep=";")
    FRAME.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    FRAME.to_csv(tmp_path / "bom.CSV", index=False, encoding="utf-8-sig")
    FRAME.to_parquet(tmp_path / "a.parquet")
    FRAME.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    FRAME.to_json(tmp_path / "a.json", orient="records")
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n\n" for row in FRAME.to_dict("records"))
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == 9
    for path in paths:
        found = read(path)
        assert found.to_dict("list") == FRAME.to_dict("list"), path
        assert [found[name].dtype.kind for name in "ab"] == ["f", "i"]


def test_cells_of_the_named_column_stay_as_they_are_written(tmp_path):
    (tmp_path / "a.csv").write_text("code,x\n007,1\nNA,2\n,3\n1.0,4\n")
    assert read(tmp_path / "a.csv", "code")["code"].tolist() == ["007", "NA", "", "1.0"]


def test_quoted_cells_may_hold_anything(tmp_path):
    (tmp_path / "a.csv").write_text('text,label\n"one, two\nthree",é\n')
    assert read(tmp_path / "a.csv").to_dict("list") == {"text": ["one, two\nthree"], "label": ["é"]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "0 sample.*a.csv is empty"),
        ("a.csv", b"\n\n", "is empty"),
        ("a.csv", b"a,b\n", "holds no rows"),
        ("a.csv", b"a,b\n1,2,3\n1,2,3,4\n", "cannot be read as csv"),
        ("a.csv", "a,é\n1,2".encode("latin-1"), "is not UTF-8 text"),
        ("a.csv", "a,b\n1,é".encode("latin-1"), "is not UTF-8 text"),
        ("a.csv.gz", b"\x1f\x8b\x08\0junk", "cannot be read as csv"),
        ("a.parquet", b"PAR1 nonsense", "cannot be read as parquet"),
        ("a.parquet", b"", "cannot be read as parquet"),
        ("a.jsonl", b"", "holds no rows"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "line 2 is not JSON"),
        ("a.jsonl", b"1\n2\n", "should hold one object for each sample"),
        ("a.json", b"[1, 2]", "should hold one object for each sample"),
        ("a.json", b"[{]", "cannot be read as json"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_spaces_after_commas_are_no_part_of_names_and_cells(tmp_path):
    (tmp_path / "a.csv").write_text("a, label\n1, cat\n2, dog\n")
    assert read(tmp_path / "a.csv").to_dict("list") == {"a": [1, 2], "label": ["cat", "dog"]}


def test_a_table_of_one_column_is_not_split(tmp_path):
    (tmp_path / "a.csv").write_text("text\nhello, world; so be it\nno\n")
    assert read(tmp_path / "a.csv", "text").to_dict("list") == {
        "text": ["hello, world; so be it", "no"]
    }
