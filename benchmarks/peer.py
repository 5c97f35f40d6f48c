"""The other side of benchmarks/versus.py: avalanche-lib, used as its documentation says.

Its SimpleMLP (no dropout), ten outputs from the start, no evaluator and no logger. In memory it is
given float tensors, prepared before the clock starts, by `class_incremental_benchmark`: the
quickest of its ways that was found (0.74 s where `nc_benchmark` took 0.85 s). iCaRL alone needs
what `nc_benchmark` says of classes. Its default path is its own SplitFMNIST: torchvision's data set
of PIL images, ToTensor, its DataLoader. The loss of EWC and LwF is its MaskedCrossEntropy over the
new classes, which its documentation names for training without exemplars.
"""

import random
import warnings

import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset

TASKS = 5


def set_up(run, chunks, root):
    """(learn, answers) of one run: `learn(k)` trains on task k, `answers(x, classes)` are columns.

    run: a `versus.Run`.  chunks: (images, labels) of each task, uint8 (n, 28, 28) and int.
    root: folder of torchvision's FashionMNIST, for the default path.
    """
    warnings.simplefilter("ignore")  # it warns of its own deprecated parts
    random.seed(run.seed)
    np.random.seed(run.seed)
    torch.manual_seed(run.seed)
    stream = default(root) if run.path == "default" else in_memory(run.row, chunks)
    strategy = built(run)

    def learn(task):
        strategy.train(stream[task])

    def answers(images, classes):
        model = strategy.model.eval()
        with torch.no_grad():
            return model(floats(images))[:, :classes].argmax(1).numpy()

    return learn, answers


def floats(images):
    return torch.from_numpy(images).float().div(255).unsqueeze(1)


def in_memory(row, chunks):
    from avalanche.benchmarks import class_incremental_benchmark, nc_benchmark

    images, labels = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    data, n = TensorDataset(floats(images), torch.from_numpy(labels)), len(chunks)
    data.targets = labels.tolist()
    if row == "icarl":
        return list(nc_benchmark(data, data, n, task_labels=False, shuffle=False).train_stream)
    order = list(range(2 * n))
    made = class_incremental_benchmark({"train": data}, class_order=order, num_experiences=n)
    return list(made.train_stream)


def default(root):
    from avalanche.benchmarks.classic import SplitFMNIST
    from torchvision.transforms import ToTensor

    made = SplitFMNIST(
        TASKS,
        shuffle=False,
        train_transform=ToTensor(),
        eval_transform=ToTensor(),
        dataset_root=root,
    )
    return list(made.train_stream)


def built(run):
    """The strategy of a row."""
    from avalanche.models import SimpleMLP
    from avalanche.training import losses, supervised

    mlp = SimpleMLP(10, input_size=784, hidden_size=400, hidden_layers=2, drop_rate=0.0)
    given = {
        "optimizer": torch.optim.SGD(mlp.parameters(), run.lr),
        "train_mb_size": run.batch,
        "train_epochs": run.epochs,
        "evaluator": None,
    }
    if run.row == "icarl":
        body = nn.Sequential(nn.Flatten(), mlp.features)
        parts = {"feature_extractor": body, "classifier": mlp.classifier}
        memory = {"memory_size": 500, "buffer_transform": None, "fixed_memory": True}
        return supervised.ICaRL(**parts, **memory, **given)
    given |= {"model": mlp, "criterion": nn.CrossEntropyLoss()}
    if run.row in ("ewc", "lwf"):
        given["criterion"] = losses.MaskedCrossEntropy(mask="new")
    kind, settings = {
        "finetune": (supervised.Naive, {}),
        "er": (supervised.Replay, {"mem_size": 500}),  # as many replayed as new
        "der++": (supervised.DER, {"mem_size": 500, "alpha": 0.1, "beta": run.strength}),
        "ewc": (
            supervised.EWC,
            {"ewc_lambda": run.strength, "mode": "online", "decay_factor": 1.0},
        ),
        "lwf": (supervised.LwF, {"alpha": run.strength, "temperature": 2.0}),
        "cumulative": (supervised.Cumulative, {}),
    }[run.row]
    return kind(**settings, **given)
