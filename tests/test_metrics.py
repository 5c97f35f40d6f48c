"""Every measure is found under one name."""

from evergrow import metrics
from evergrow.bench import accuracy_matrix, resource_usage
from evergrow.model import calibration, recall, scorers

NAMES = """Summary accuracies backward begin_peak bytes_kept calibration confusion forgetting
forward mean_recall peak_memory per_class summary roc_auc neg_log_loss top_k_accuracy
balanced_accuracy""".split()


def test_metrics_has_what_its_parts_have():
    parts = (accuracy_matrix, calibration, recall, resource_usage, scorers)
    for name in NAMES:
        home = next(part for part in parts if hasattr(part, name))
        assert getattr(metrics, name) is getattr(home, name)
    assert {name for name in vars(metrics) if not name.startswith("_")} >= set(NAMES)
