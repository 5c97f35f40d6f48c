"""The VAE against what it must be where its layers are zero, and against the density it learns."""

from math import log, pi

import torch

from evergrow.nn.vae import VAE


def silent(width=2, variance=0.25):
    """All weights zero: q(z | x) = p(z), and p(x | z) is a Gaussian around the centre."""
    vae = VAE(width, hidden=3, latent=2)
    for p in vae.parameters():
        torch.nn.init.zeros_(p)
    vae.centre.fill_(1.0)
    vae.variance.fill_(variance)
    return vae


def test_the_likelihood_is_the_decoders_where_codes_say_nothing():
    x, noise = torch.tensor([[1.0, 2.0]]), torch.randn(5, 2, generator=torch.Generator())
    expected = -(0 + 1) / (2 * 0.25) - log(2 * pi * 0.25)
    torch.testing.assert_close(silent()(x, noise), torch.tensor([expected]))


def test_the_loss_is_the_bound_and_its_variance_follows_the_error_down_to_the_floor():
    vae, x = silent(), torch.tensor([[1.0, 2.0]])
    loss = vae.loss(x, torch.zeros(1, 2))
    variance = 0.25 + 0.05 * (0.5 - 0.25)  # the mean squared error is 1 / 2
    torch.testing.assert_close(vae.variance, torch.tensor(variance))
    expected = 1 / (2 * variance) + log(2 * pi * variance)
    torch.testing.assert_close(loss.detach(), torch.tensor(expected))
    for _ in range(500):
        vae.loss(torch.ones(1, 2), torch.zeros(1, 2))
    torch.testing.assert_close(vae.variance.sqrt(), torch.tensor(vae.floor))


def test_the_divergence_of_a_code_is_in_the_bound():
    vae, x = silent(), torch.ones(1, 2)
    plain = vae.loss(x, torch.zeros(1, 2))
    with torch.no_grad():
        vae.code.bias.copy_(torch.tensor([3.0, 0.0, log(2), 0.0]))  # mean 3, spread 2
    vae.variance.fill_(silent().variance)
    vae.loss(x, torch.zeros(1, 2))
    vae.variance.fill_(0.25)
    plain_again, shifted = silent().loss(x, torch.zeros(1, 2)), vae.loss(x, torch.zeros(1, 2))
    torch.testing.assert_close(plain, plain_again)
    expected = (9 + 4 - 2 * log(2) - 1) / 2
    torch.testing.assert_close((shifted - plain).detach(), torch.tensor(expected))


def test_importance_weights_undo_where_the_draws_came_from():
    """The estimate does not depend on q, in the mean: with many draws it is p(x) whatever q is."""
    vae = silent()
    with torch.no_grad():
        vae.leave.bias.fill_(1.0)
        vae.decode.weight[0] = 0.2
        vae.leave.weight[0, 0] = 1.0
    noise = torch.randn(20000, 2, generator=torch.Generator().manual_seed(0))
    x = torch.tensor([[1.5, 1.0]])
    plain = vae(x, noise)
    with torch.no_grad():
        vae.code.bias.copy_(torch.tensor([0.3, 0.0, 0.2, 0.1]))
    torch.testing.assert_close(vae(x, noise), plain, atol=0.02, rtol=0)


def test_it_learns_a_density_and_moves_no_global_generator():
    before = torch.random.get_rng_state()
    rng = torch.Generator().manual_seed(0)
    line = torch.randn(512, 1, generator=rng) @ torch.tensor([[3.0, -3.0]])
    vae = VAE(2, hidden=16, latent=1).initialise(rng)
    optimizer = torch.optim.Adam(vae.parameters(), 0.01)
    for _ in range(300):
        loss = vae.loss(line, torch.randn(512, 1, generator=rng))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        noise = torch.randn(100, 1, generator=rng)
        on, off = vae(torch.tensor([[2.0, -2.0], [2.0, 2.0]]), noise)
        drawn = vae.draw(torch.randn(500, 1, generator=rng))
    assert on > off + 2
    assert torch.corrcoef(drawn.T)[0, 1] < -0.9 and 1.5 < drawn[:, 0].std() < 4.5
    assert torch.equal(before, torch.random.get_rng_state())
