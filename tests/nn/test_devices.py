"""What differs by kind of device, seen from a machine that has a CPU alone."""

import pytest
import torch

from evergrow import GrowingClassifier
from evergrow.data.task import Tensors, fetched
from evergrow.nn.devices import LARGEST, rows_on, staging
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
