"""A small variational autoencoder of flat vectors: it learns their density and draws new ones.

Kingma and Welling 2014, "Auto-Encoding Variational Bayes", arXiv:1312.6114. The decoder is
Gaussian, its variance calibrated as in Rybkin et al. 2021, "Simple and Effective VAE Training with
Calibrated Decoders", arXiv:2006.13202: it is the mean squared error, here a running mean. All
random draws are given.
"""

from math import log, pi

import torch
from torch import Tensor, nn
from torch.nn.functional import relu


class VAE(nn.Module):
    """Two layers each way, `hidden` units wide, between `width` dimensions and `latent` ones.

    centre: (width,) mean of the data, where known.  variance: of the decoder, in all dimensions.
    floor: the smallest standard deviation of the decoder.

    >>> vae = VAE(3, hidden=8, latent=2).initialise(torch.Generator().manual_seed(0))
    >>> vae.draw(torch.zeros(5, 2)).shape
    torch.Size([5, 3])
    """

    centre: Tensor
    variance: Tensor

    def __init__(self, width: int, hidden: int, latent: int, floor: float = 0.2):
        super().__init__()
        self.latent, self.floor = latent, floor
        self.enter, self.code = _linear(width, hidden), _linear(hidden, 2 * latent)
        self.leave, self.decode = _linear(latent, hidden), _linear(hidden, width)
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("variance", torch.ones(()))

    def initialise(self, rng: torch.Generator) -> "VAE":
        """Zero biases; normal weights of variance 1 / inputs, from `rng` alone.  Returns itself.

        Codes begin by saying nothing, q(z | x) = p(z), whatever the scale of the data.
        """
        for layer in (self.enter, self.code, self.leave, self.decode):
            nn.init.normal_(layer.weight, 0, layer.in_features**-0.5, generator=rng)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.code.weight)
        return self

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of q(z | x), (n, latent) each."""
        mean, spread = self.code(relu(self.enter(x - self.centre))).chunk(2, 1)
        return mean, spread.clamp(-8, 2)  # far from the data it would overflow

    def draw(self, z: Tensor) -> Tensor:
        """(n, width) means of p(x | z); z: (n, latent), standard normal for new samples."""
        return self.centre + self.decode(relu(self.leave(z)))  # type: ignore[no-any-return]

    def loss(self, x: Tensor, noise: Tensor) -> Tensor:
        """Negative evidence lower bound of x (n, width), a mean over n; noise: (n, latent) normal.

        The variance follows the squared error, a twentieth of the way at each call.
        """
        mean, spread = self.encode(x)
        error = (self.draw(mean + spread.exp() * noise) - x).square()
        target = error.detach().mean().clamp(min=self.floor**2)
        self.variance = self.variance.lerp(target, 0.05)  # not in place: a loss before may need it
        divergence = (mean.square() + (2 * spread).exp() - 2 * spread - 1).sum(1) / 2
        return (self._misfit(error) + divergence).mean()

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """(n,) log p(x), estimated by importance sampling from q(z | x); noise: (draws, latent).

        Source: Rezende, Mohamed and Wierstra 2014, "Stochastic Backpropagation and Approximate
        Inference in Deep Generative Models", arXiv:1401.4082: the log of the mean of
        p(x | z) p(z) / q(z | x).
        """
        mean, spread = (t[:, None] for t in self.encode(x))  # (n, 1, latent)
        z = mean + spread.exp() * noise
        ratio = (noise.square() - z.square()).sum(2) / 2 + spread.sum(2)  # log p(z) / q(z | x)
        error = (self.draw(z.flatten(0, 1)).view(*z.shape[:2], -1) - x[:, None]).square()
        return (ratio - self._misfit(error)).logsumexp(1) - log(len(noise))

    def _misfit(self, error: Tensor) -> Tensor:
        """-log p(x | z) from the squared errors of each dimension."""
        return (error / self.variance + (2 * pi * self.variance).log()).sum(-1) / 2


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer without initial weights: nn.Linear would draw them from the global generator."""
    return nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-any-return]
