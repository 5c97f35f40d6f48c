"""A class's own metric: Tukey's transform, shrinkage to a correlation matrix, inverse factor.

Source: Goswami et al. 2023, "FeCAM: Exploiting the Heterogeneity of Class Distributions in
Exemplar-Free Continual Learning", arXiv:2309.14062.
"""

import torch
from torch import Tensor


def tukey(q: Tensor, power: float) -> Tensor:
    """sign(q) |q|^power on the scale -127..127, which it keeps.

    >>> tukey(torch.tensor([127.0, -127 / 4, 0.0]), 0.5).tolist()
    [127.0, -63.5, 0.0]
    """
    x = q if q.is_floating_point() else q.float()
    return x.sign() * (x.abs() / 127) ** power * 127


def shrunk(covariance: Tensor, diagonal: float, off_diagonal: float, correlation: bool) -> Tensor:
    """The covariance + diagonal * mean variance * I + off_diagonal * mean covariance * (1 - I).

    correlation: normalise it to unit variances. Without any spread it is the identity.

    >>> shrunk(torch.tensor([[4.0, 1.0], [1.0, 2.0]]), 2.0, 3.0, correlation=False).tolist()
    [[10.0, 4.0], [4.0, 8.0]]
    """
    n, variances = len(covariance), covariance.diagonal()
    unit = torch.eye(n, dtype=covariance.dtype)
    if not bool(variances.sum() > 0):
        return unit
    among = (covariance.sum() - variances.sum()) / max(n * (n - 1), 1)
    mixed = covariance + diagonal * variances.mean() * unit + off_diagonal * among * (1 - unit)
    if correlation:
        deviations = mixed.diagonal().clamp(min=1e-9).sqrt()
        mixed = mixed / deviations[:, None] / deviations
    return mixed


def inverse_factor(matrix: Tensor) -> Tensor:
    """L^-1 of the Cholesky factor of a matrix, its diagonal raised as far as rounding asks for.

    >>> inverse_factor(torch.tensor([[4.0]])).tolist()
    [[0.5]]
    """
    unit = torch.eye(len(matrix), dtype=matrix.dtype)
    raised = 0.0
    while True:
        factor, wrong = torch.linalg.cholesky_ex(matrix + raised * unit)
        if not bool(wrong):
            inverse: Tensor = torch.linalg.solve_triangular(factor, unit, upper=False)
            return (
                inverse.contiguous()
            )  # as it comes back from disk: another layout rounds otherwise
        raised = max(10 * raised, 1e-9 * float(matrix.diagonal().mean()), 1e-12)
