"""Every measure by one name, for whoever measures models: accuracy, recall, calibration, cost."""

from .accuracy_matrix import Summary as Summary
from .accuracy_matrix import accuracies as accuracies
from .accuracy_matrix import backward as backward
from .accuracy_matrix import forgetting as forgetting
from .accuracy_matrix import forward as forward
from .accuracy_matrix import summary as summary
from .calibration import calibration as calibration
from .recall import confusion as confusion
from .recall import mean_recall as mean_recall
from .recall import per_class as per_class
from .resource_usage import begin_peak as begin_peak
from .resource_usage import bytes_kept as bytes_kept
from .resource_usage import peak_memory as peak_memory
