"""One thread: tiny tensors gain nothing from more, and tests stay fast beside other processes."""

import torch

torch.set_num_threads(1)
