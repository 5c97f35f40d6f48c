"""What the versions of a model folder tell: recalls, confusion, costs, update by update."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ModelError
from ...model.recall import mean
from ...storage.model_folder import ModelFolder
from ..open_model import description

Series = list[float | None]


@dataclass(frozen=True)
class History:
    """The versions that led to one, oldest first, as manifests.  sizes: bytes of each."""

    manifests: list[dict[str, Any]]
    sizes: list[int]

    @property
    def last(self) -> dict[str, Any]:
        """The manifest of the version that all others led to."""
        return self.manifests[-1]

    @property
    def names(self) -> list[str]:
        """The versions in words."""
        return [f"v{m['version']}" for m in self.manifests]

    @property
    def updates(self) -> list[dict[str, Any]]:
        """`update_` of each version, {} where nothing was learnt."""
        return [m["update"] or {} for m in self.manifests]

    @property
    def reports(self) -> list[dict[str, Any]]:
        """`update_report.report` of each update, {} where nothing was judged."""
        return [update.get("report") or {} for update in self.updates]

    def figures(self, key: str) -> Series:
        """One figure of every report, None where it has none."""
        return [report.get(key) for report in self.reports]

    def margins(self, key: str) -> list[float]:
        """Half of the 95 % interval of a figure, 0 where there is none."""
        return [(report.get("margins") or {}).get(key) or 0.0 for report in self.reports]

    @property
    def groups(self) -> dict[str, list[str]]:
        """Labels by the version that brought them."""
        groups, known = {}, 0
        for name, manifest in zip(self.names, self.manifests, strict=True):
            labels = [str(label) for label in manifest["classes"]]
            if labels[known:]:
                groups[name] = labels[known:]
            known = len(labels)
        return groups

    def matrix(self) -> list[Series]:
        """After each version (rows) the mean recall of the classes that each one brought."""
        return [
            [mean([(report.get("per_class") or {}).get(c) for c in labels]) for labels in groups]
            for report in self.reports
            for groups in [list(self.groups.values())]
        ]

    def by_class(self) -> list[Series]:
        """Recall of each class (rows, in the order of the columns) after each version."""
        labels = [str(label) for label in self.last["classes"]]
        recalls = [report.get("per_class") or {} for report in self.reports]
        return [[update.get(label) for update in recalls] for label in labels]


def read_history(folder: ModelFolder, version: int | None = None) -> History:
    """The path of versions to one, the current by default; versions that are damaged end it.

    Raises ModelError as `ModelFolder.manifest`.
    """
    manifests = [description(folder, version)]
    while manifests[0]["parent"] is not None:
        try:
            manifests.insert(0, description(folder, manifests[0]["parent"]))
        except ModelError:
            break
    return History(manifests, [folder.bytes(m["version"]) for m in manifests])


def worst_pairs(confusion: Sequence[Sequence[Any]], most: int) -> list[tuple[str, str, int]]:
    """The pairs of classes most often taken one for the other: label, predicted, samples.

    >>> worst_pairs([["cat", "cat", 9], ["cat", "dog", 2], ["dog", "cat", 3]], most=1)
    [('dog', 'cat', 3)]
    """
    wrong = [(str(a), str(b), int(n)) for a, b, n in confusion if a != b]
    return sorted(wrong, key=lambda pair: -pair[2])[:most]


def shares(confusion: Sequence[Sequence[Any]], labels: Sequence[str]) -> list[Series]:
    """Confusion as shares of each label's samples, rows the labels given; None where there is none.

    >>> shares([["cat", "cat", 3], ["cat", "dog", 1]], ["cat", "dog"])
    [[0.75, 0.25], [None, None]]
    """
    counts = {(str(a), str(b)): int(n) for a, b, n in confusion}
    totals: dict[str, int] = {}
    for (a, _), n in counts.items():
        totals[a] = totals.get(a, 0) + n
    return [
        [counts[a, b] / totals[a] if (a, b) in counts else None for b in labels] for a in labels
    ]


def kept_images(folder: ModelFolder, version: int, most: int) -> dict[int, list[bytes]]:
    """PNG files of raw samples that lie in the folder, by column, at most so many of each.

    Nothing where none are kept, or they are no images.
    """
    if folder.manifest(version)["pruned"]:
        return {}
    table = folder.read(version).memory
    if table is None:
        return {}
    parts = json.loads(table.schema.metadata[b"evergrow"])
    images: dict[int, list[bytes]] = {}
    rows = zip(*(table[name].to_pylist() for name in ("part", "column", "x")), strict=True)
    for part, column, x in rows:
        if parts[part]["png"] and len(images.setdefault(column, [])) < most:
            images[column].append(x)
    return images
