"""Named scenarios: distinct, cut as their names say, their data known."""

import numpy as np
import pytest

from evergrow.bench import benchmark_data, scenario_catalogue
from evergrow.bench.task_streams import cut
from evergrow.errors import SettingError


def test_names_are_distinct_and_their_data_is_known():
    names = [entry.name for entry in scenario_catalogue.ENTRIES]
    assert len(set(names)) == len(names)
    assert {entry.data for entry in scenario_catalogue.ENTRIES} == set(benchmark_data.DATA)


def test_every_scenario_on_digits_can_be_cut_offline():
    labels = benchmark_data.load("digits").train.labels
    for entry in scenario_catalogue.ENTRIES:
        if entry.data == "digits":
            found = cut(labels, labels, entry.cut)
            assert len(found) >= 3, entry.name
            assert all(len(rows) for rows in found.train)


def test_names_say_how_many_tasks_and_classes():
    labels = {"digits": 10, "mnist": 10, "fashion-mnist": 10, "letter": 26, "clipart": 39}
    for entry in scenario_catalogue.ENTRIES:
        tasks, _, size = entry.name.rpartition("-")[2].partition("x")
        if size.isdigit():
            found = cut(np.arange(labels[entry.data]), [], entry.cut)
            assert len(found) == int(tasks) and len(found.classes[0]) == int(size)


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(SettingError, match="digits-5x2, digits-first6"):
        scenario_catalogue.find("digits5x2")
