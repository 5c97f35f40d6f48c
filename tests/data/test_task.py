"""Tasks, and how their rows are fetched."""

import threading

import pytest
import torch

from evergrow.data.task import Part, Task, Tensors, fetched


class Decoded(Tensors):
    """Records that take time, and the threads that take them."""

    decoded = True
    threads: list[str] = []

    def take(self, rows):
        self.threads.append(threading.current_thread().name)
        return super().take(rows)


X = torch.arange(5.0)[:, None]


def test_a_part_of_a_task_keeps_its_order_and_numbers():
    whole = Task(Tensors(X), torch.tensor([0, 1, 2, 1, 3]), old=2, total=4, number=1)
    part = whole.part(torch.tensor([3, 0])).part(torch.tensor([1, 0]))
    assert part.y.tolist() == [0, 1] and part.records.take(torch.arange(2)).tolist() == [[0], [3]]
    assert (part.old, part.total, part.number, len(part)) == (2, 4, 1, 2)
    assert whole.classes.tolist() == [0, 1, 2, 3] and part.absent(4).tolist() == [2, 3]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_blocks_hold_every_sample_once_in_order(workers):
    task = Task(Tensors(X), torch.arange(5), old=0, total=5)
    blocks = list(task.blocks(2, workers))
    assert [len(y) for _, y in blocks] == [2, 2, 1]
    assert torch.equal(torch.cat([x for x, _ in blocks]), X)
    assert torch.cat([y for _, y in blocks]).tolist() == list(range(5))


def test_what_is_decoded_is_fetched_ahead_and_a_single_part_in_turn():
    records, here = Decoded(X), threading.current_thread().name
    records.threads.clear()
    list(fetched(records, torch.arange(5).split(5)))
    assert records.threads == [here]
    assert Part(records, torch.arange(5)).decoded
    list(fetched(Part(records, torch.arange(5)), torch.arange(5).split(2)))
    assert all(name.startswith("evergrow-fetch") for name in records.threads[1:])


def test_an_error_while_fetching_ahead_comes_out():
    with pytest.raises(IndexError):
        list(fetched(Decoded(X), torch.arange(20).split(2), workers=2))
