"""What differs by kind of device, seen from a machine that has a CPU alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from evergrow import GrowingClassifier
from evergrow.data.task import Tensors, fetched
from evergrow.nn.devices import LARGEST, in_blocks, rows_on, staging
from evergrow.nn.network import Network

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("rows", [1, 8, 32, 48, 256])
@pytest.mark.parametrize("numbers", [1, 784, 3 * 224**2, 3 * 1024**2, LARGEST])
def test_blocks_of_a_gpu_are_whole_numbers_of_those_of_a_cpu_and_bounded(rows, numbers):
    tall = rows_on(CUDA, rows, numbers)
    assert tall % rows == 0 and rows <= tall <= max(rows, 256)
    assert tall == rows or tall * numbers <= LARGEST
    assert rows_on(CPU, rows, numbers) == rows


def test_where_any_block_does_there_is_none_to_enlarge():
    assert rows_on(CUDA, 0, 784) == rows_on(CPU, 0, 784) == 0


@pytest.fixture
def pinned(monkeypatch):
    """Lengths of what was pinned, without a GPU that it could be pinned for."""
    found = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda x: found.append(len(x)) or x)
    return found


def test_only_cuda_wants_its_inputs_pinned(pinned):
    assert staging(CPU) is None
    staging(CUDA)(torch.ones(3))
    assert pinned == [3]


@pytest.mark.parametrize(("workers", "wanted"), [(0, []), (2, [2, 2, 1])])
def test_what_is_fetched_ahead_is_staged(pinned, workers, wanted):
    parts = torch.arange(5).split(2)
    got = [x.tolist() for _, x in fetched(Tensors(torch.arange(5)), parts, workers, staging(CUDA))]
    assert got == [[0, 1], [2, 3], [4]]
    assert sorted(pinned, reverse=True) == wanted  # threads end in any order


@pytest.mark.parametrize(("backbone", "method"), [("convnet", "finetune"), ("patches", "lda")])
def test_learning_and_predicting_stage_for_the_device_of_the_network(backbone, method, monkeypatch):
    here, devices = torch.device("cpu", 0), []  # not what is taken where no device is named
    monkeypatch.setattr(Network, "device", here)

    monkeypatch.setattr("evergrow.nn.devices.staging", devices.append)
    x, y = torch.randint(0, 256, (300, 1, 12, 12), dtype=torch.uint8), torch.arange(300) % 2
    model = GrowingClassifier(backbone, method, epochs=1, num_workers=1)
    model.partial_fit(x, y)
    learnt = len(devices)
    model.predict(x)
    assert learnt and len(devices) > learnt and set(devices) == {here}


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 100])
def test_every_row_comes_back_in_order(n, threads):
    x = torch.arange(2 * n).view(n, 2)
    assert torch.equal(in_blocks(lambda block: block + 1, x), x + 1)


def test_elsewhere_than_on_a_cpu_blocks_are_taller():
    tall = []
    x = torch.empty(600, 3, device="meta")
    assert in_blocks(lambda block: tall.append(len(block)) or block, x).shape == (600, 3)
    assert tall == [256, 256, 88]


def test_threads_are_used_and_each_works_alone(threads):
    numbers = in_blocks(lambda x: torch.full_like(x, torch.get_num_threads()), torch.zeros(50))
    assert numbers.unique().tolist() == [1]


def test_the_number_of_threads_is_as_before_here_and_in_threads_begun_later(threads):
    in_blocks(lambda block: block @ block.mT, torch.rand(50, 40, 40))
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(torch.get_num_threads).result()
    assert later == torch.get_num_threads() == threads


def test_an_error_reaches_the_caller_and_leaves_threads_as_they_were(threads):
    def fail(block):
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        in_blocks(fail, torch.zeros(50))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == threads


def test_one_block_alone_gets_a_thread_where_sums_would_round_otherwise(threads):
    def number(block):
        return torch.full_like(block, torch.get_num_threads())

    x = torch.zeros(5)
    assert in_blocks(number, x, always=True).unique().tolist() == [1]
    assert in_blocks(number, x).unique().tolist() == [threads]
