import gzip

import pytest

from evergrow.data.readers import limited_files
from evergrow.errors import DataError


@pytest.mark.parametrize("packed", [False, True])
def test_all_is_read_up_to_the_limit(tmp_path, monkeypatch, packed):
    content = b"0123456789" * 1000
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(content) if packed else content)
    monkeypatch.setenv(limited_files.VARIABLE, "10KB")
    assert limited_files.read_limited(path) == content
    with limited_files.open_limited(path) as file:
        assert file.readline(5) == b"01234" and file.read() == content[5:]
    with pytest.raises(DataError, match="takes more than that in memory"):
        limited_files.read_limited(path, times=2)


@pytest.mark.parametrize(
    ("said", "bytes_"),
    [("", 2 * 10**9), ("1000", 1000), ("1.5 gb", 1_500_000_000), ("3T", 3 * 10**12)],
)
def test_the_limit_is_said_as_people_say_sizes(monkeypatch, said, bytes_):
    monkeypatch.setenv(limited_files.VARIABLE, said)
    assert limited_files.limit() == bytes_
