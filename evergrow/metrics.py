"""Every measure by one name, for whoever measures models: accuracy, recall, calibration, cost."""

from .bench.accuracy_matrix import Summary as Summary
from .bench.accuracy_matrix import accuracies as accuracies
from .bench.accuracy_matrix import backward as backward
from .bench.accuracy_matrix import forgetting as forgetting
from .bench.accuracy_matrix import forward as forward
from .bench.accuracy_matrix import summary as summary
from .bench.resource_usage import begin_peak as begin_peak
from .bench.resource_usage import bytes_kept as bytes_kept
from .bench.resource_usage import peak_memory as peak_memory
from .model.calibration import calibration as calibration
from .model.recall import confusion as confusion
from .model.recall import mean_recall as mean_recall
from .model.recall import per_class as per_class
from .model.scorers import balanced_accuracy as balanced_accuracy
from .model.scorers import neg_log_loss as neg_log_loss
from .model.scorers import roc_auc as roc_auc
from .model.scorers import top_k_accuracy as top_k_accuracy
