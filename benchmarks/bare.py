"""What a PyTorch user writes by hand for each method: the loops that times are compared with.

MLP 784-400-400, ten outputs from the start, plain SGD, data as uint8 tensors. Each loop does the
arithmetic of one method of evergrow and nothing else. `LOOPS[name](net, images, labels, kept,
how)` learns one task; `kept` is a dict in which it finds what it remembers.
"""

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F


@dataclass(frozen=True)
class How:
    """lr: learning rate.  epochs: a task.  batch: new examples a step, and replayed ones.

    memory: examples kept.  beta: of DER++.  strength: of EWC (lambda) and LwF.
    shuffled: iCaRL's exemplars come shuffled in, not `batch` of them at each step.
    """

    lr: float
    epochs: int = 1
    batch: int = 128
    memory: int = 500
    beta: float = 1.0
    strength: float = 1000.0
    shuffled: bool = False


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 10)
    )


def answers(net, kept, images, classes):
    """(n,) columns below `classes`: the largest logit, or the nearest mean where there are any."""
    with torch.no_grad():
        if "means" in kept:
            features = F.normalize(net[:-1](images.float() / 255), dim=1)
            return torch.cdist(features, kept["means"]).argmin(1)
        return net(images.float() / 255)[:, :classes].argmax(1)


def batches(images, labels, how):
    for _ in range(how.epochs):
        for rows in torch.randperm(len(images)).split(how.batch):
            yield images[rows].float() / 255, labels[rows], images[rows]


def among(logits, classes):
    hidden = torch.full_like(logits, -torch.inf)
    hidden[:, classes] = logits[:, classes]
    return hidden


def move(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def finetune(net, images, labels, kept, how):
    optimizer = torch.optim.SGD(net.parameters(), how.lr)
    for x, y, _ in batches(images, labels, how):
        move(optimizer, F.cross_entropy(net(x), y))


def cumulative(net, images, labels, kept, how):
    kept["x"] = torch.cat([kept["x"], images]) if "x" in kept else images
    kept["y"] = torch.cat([kept["y"], labels]) if "y" in kept else labels
    finetune(net, kept["x"], kept["y"], kept, how)


def er(net, images, labels, kept, how):
    rehearse(net, images, labels, kept, how, dark=False)


def derpp(net, images, labels, kept, how):
    rehearse(net, images, labels, kept, how, dark=True)


def rehearse(net, images, labels, kept, how, dark):
    optimizer = torch.optim.SGD(net.parameters(), how.lr)
    if not kept:
        kept |= {"x": torch.zeros(how.memory, 784, dtype=torch.uint8), "size": 0, "seen": 0}
        kept |= {"y": torch.zeros(how.memory, dtype=torch.long), "z": torch.zeros(how.memory, 10)}

    def draw():
        rows = torch.randperm(kept["size"])[: how.batch]
        return kept["x"][rows].float() / 255, kept["y"][rows], kept["z"][rows]

    began = kept["seen"]
    for x, y, raw in batches(images, labels, how):
        logits = net(x)
        loss = F.cross_entropy(logits, y)
        if kept["size"] and dark:
            old, _, recorded = draw()
            loss = loss + 0.1 * F.mse_loss(net(old), recorded)
        if kept["size"]:
            old, old_y, _ = draw()
            loss = loss + (how.beta if dark else 1) * F.cross_entropy(net(old), old_y)
        move(optimizer, loss)
        if kept["seen"] - began < len(images):  # each image is offered once
            offer(kept, raw, y, logits.detach(), how.memory)


def offer(kept, raw, y, logits, memory):
    """Reservoir sampling of a batch."""
    order = torch.arange(kept["seen"], kept["seen"] + len(y))
    slots = torch.where(order < memory, order, (torch.rand(len(y)) * (order + 1)).long())
    kept["seen"] += len(y)
    stays = slots < memory
    kept["x"][slots[stays]], kept["y"][slots[stays]] = raw[stays], y[stays]
    kept["z"][slots[stays]] = logits[stays]
    kept["size"] = min(memory, kept["seen"])


def lwf(net, images, labels, kept, how):
    classes, old = labels.unique(), kept.get("old", 0)
    optimizer, teacher = torch.optim.SGD(net.parameters(), how.lr), copy.deepcopy(net)
    for x, y, _ in batches(images, labels, how):
        logits = net(x)
        loss = F.cross_entropy(among(logits, classes), y)
        if old:
            with torch.no_grad():
                soft = (teacher(x)[:, :old] / 2).softmax(1)
            keep = -4 * (soft * (logits[:, :old] / 2).log_softmax(1)).sum(1).mean()
            loss = loss + how.strength * keep
        move(optimizer, loss)
    kept["old"] = old + len(classes)


def ewc(net, images, labels, kept, how):
    optimizer, classes = torch.optim.SGD(net.parameters(), how.lr), labels.unique()
    fisher, anchor = kept.get("fisher"), kept.get("anchor")
    if fisher:  # no stiffer than what a step can follow
        stiff = {n: (how.strength / 2 * f).clamp(max=0.5 / how.lr) for n, f in fisher.items()}
    for x, y, _ in batches(images, labels, how):
        loss = F.cross_entropy(among(net(x), classes), y)
        if fisher:
            pull = sum((stiff[n] * (p - anchor[n]) ** 2).sum() for n, p in net.named_parameters())
            loss = loss + pull
        move(optimizer, loss)
    new = squared_gradients(net, images[torch.randperm(len(images))[:200]].float() / 255, classes)
    kept["fisher"] = {n: f + fisher[n] if fisher else f for n, f in new.items()}
    kept["anchor"] = {n: p.detach().clone() for n, p in net.named_parameters()}


def squared_gradients(net, some, classes):
    """Diagonal of the Fisher information, labels drawn from the network's own answers."""
    weights = {n: p.detach() for n, p in net.named_parameters()}

    def loss_of(weights, x, y):
        return F.cross_entropy(among(functional_call(net, weights, (x[None],)), classes), y[None])

    fisher = {n: torch.zeros_like(w) for n, w in weights.items()}
    for x in some.split(32):
        with torch.no_grad():
            y = torch.multinomial(among(net(x), classes).softmax(1), 1)[:, 0]
        for n, g in vmap(grad(loss_of), in_dims=(None, 0, 0))(weights, x, y).items():
            fisher[n] += (g * g).sum(0) / len(some)
    return fisher


def icarl(net, images, labels, kept, how):
    optimizer, teacher = torch.optim.SGD(net.parameters(), how.lr), copy.deepcopy(net)
    old = kept.get("total", 0)
    total = kept["total"] = old + len(labels.unique())
    both = images, labels
    if old and how.shuffled:
        both = torch.cat([images, kept["x"]]), torch.cat([labels, kept["y"]])
    for x, y, _ in batches(*both, how):
        if old and not how.shuffled:
            rows = torch.randperm(len(kept["y"]))[: how.batch]
            x = torch.cat([x, kept["x"][rows].float() / 255])
            y = torch.cat([y, kept["y"][rows]])
        logits = net(x)[:, :total]
        target = F.one_hot(y, total).float()
        if old:
            with torch.no_grad():
                target[:, :old] = teacher(x)[:, :old].sigmoid()
        move(optimizer, F.binary_cross_entropy_with_logits(logits, target))
    choose(net, images, labels, kept, how.memory // total)


def choose(net, images, labels, kept, each):
    """Exemplars by herding, and the mean of each class."""
    xs, ys = [], []
    for c in range(kept["total"]):
        mine = images[labels == c]
        if len(mine):
            with torch.no_grad():
                f = torch.cat([net[:-1](part.float() / 255) for part in mine.split(2048)])
            xs.append(mine[herded(F.normalize(f.double(), dim=1), each)])
        else:
            xs.append(kept["x"][kept["y"] == c][:each])
        ys.append(torch.full((len(xs[-1]),), c))
    kept["x"], kept["y"] = torch.cat(xs), torch.cat(ys)
    with torch.no_grad():
        f = F.normalize(net[:-1](kept["x"].float() / 255), dim=1)
    kept["means"] = torch.stack([f[kept["y"] == c].mean(0) for c in range(kept["total"])])


def herded(f, n):
    mean, chosen, summed = f.mean(0), [], torch.zeros(f.shape[1], dtype=torch.double)
    taken = torch.zeros(len(f), dtype=torch.double)
    for k in range(1, n + 1):
        best = int((f @ (k * mean - summed) - taken).argmax())
        chosen.append(best)
        taken[best] = torch.inf
        summed = summed + f[best]
    return chosen


LOOPS = {
    "finetune": finetune,
    "er": er,
    "der++": derpp,
    "ewc": ewc,
    "lwf": lwf,
    "icarl": icarl,
    "cumulative": cumulative,
}
