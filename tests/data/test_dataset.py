import numpy as np

from evergrow.data.dataset import Chunk, Rows, Seen


def chunk():
    values = np.arange(12.0).reshape(6, 2)
    labels = np.array(list("abcabc"), dtype=object)
    return Chunk(Seen("table", shape=(2,)), Rows(values), labels, [("x.png", "is empty")], ["note"])


def test_records_are_taken_in_the_order_asked_for():
    assert chunk().take(np.array([5, 0, 5]))[:, 0].tolist() == [10, 0, 10]
    assert chunk().kind == "table" and len(chunk()) == 6


def test_a_subset_of_a_subset_is_rows_of_the_same_store():
    whole = chunk()
    part = whole.subset(np.array([4, 2, 0])).subset([2, 1])
    assert part.take([0, 1])[:, 0].tolist() == [0, 4]
    assert part.labels.tolist() == ["a", "c"]
    assert (part.name(1), len(part)) == ("row 2", 2)
    assert part.at(np.array([1])).tolist() == [2]
    assert part.store is whole.store and part.cache is whole.cache
    assert (part.skipped, part.notes) == (whole.skipped, whole.notes)


def test_a_subset_without_labels_has_none():
    assert Chunk(Seen("text"), Rows(["a", "b"])).subset(np.array([1])).labels is None


def test_records_of_many_shapes_are_a_list():
    rows = Rows([np.zeros((1, 2, 2)), np.ones((3, 2, 2))], " of a.npz")
    found = rows.take(np.array([1, 0]), then=lambda x: x + 1)
    assert [x.shape for x in found] == [(3, 2, 2), (1, 2, 2)] and found[0].max() == 2
    assert rows.name(1) == "row 1 of a.npz"


def test_a_note_is_there_once():
    some = chunk()
    some.note(["another", "note"])
    some.note(["another"])
    assert some.notes == ["note", "another"]
