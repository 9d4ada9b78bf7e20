"""Risks in closed form, for tests of what works on any risk: optimisers, the training loop, checkpoints."""

from __future__ import annotations

import numpy as np


class FunctionRisk:
    """A loss without data from its value, gradient and Hessian as functions of (P,)."""

    n_samples = 1

    def __init__(self, n_params, loss, grad, hessian):
        self.n_params, self.loss, self.grad, self.hessian = n_params, loss, grad, hessian

    def loss_and_grad(self, params):
        return self.loss(params), self.grad(params)

    def accuracy(self, params):
        return None


def quadratic(matrix):
    """1/2 p.A.p: gradient A p, Hessian A everywhere."""
    a = np.asarray(matrix, float)
    return FunctionRisk(len(a), lambda p: float(p @ a @ p) / 2, lambda p: a @ p, lambda p: a)


def rosenbrock():
    """(1 - x)^2 + 100 (y - x^2)^2, minimum 0 at (1, 1)."""
    return FunctionRisk(
        2,
        lambda p: float((1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2),
        lambda p: np.array([-2 * (1 - p[0]) - 400 * p[0] * (p[1] - p[0] ** 2), 200 * (p[1] - p[0] ** 2)]),
        None,
    )


class RXProductRisk(FunctionRisk):
    """1 - prod_i cos^2(theta_i / 2): one RX on each of P qubits, target |0...0>, metric I / 4."""

    has_metric = True

    def __init__(self, n_params, metric=None, blocks=None):
        super().__init__(n_params, self._loss, self._grad, None)
        self.metric = np.eye(n_params) / 4 if metric is None else metric
        self.parameter_blocks = [np.arange(n_params)] if blocks is None else blocks

    def _loss(self, p):
        return float(1 - np.prod(np.cos(p / 2) ** 2))

    def _grad(self, p):
        return np.prod(np.cos(p / 2) ** 2) * np.tan(p / 2)

    def metric_tensor(self, params):
        return self.metric


class LinearRisk:
    """mean_s (x_s . p - y_s)^2: gradient 2 X^T (X p - y) / n, Hessian 2 X^T X / n."""

    def __init__(self, x, y):
        self.x, self.y = x, y
        self.n_samples, self.n_params = x.shape

    def loss(self, params):
        return float(np.mean((self.x @ params - self.y) ** 2))

    def grad(self, params):
        return 2 * self.x.T @ (self.x @ params - self.y) / self.n_samples

    def loss_and_grad(self, params):
        return self.loss(params), self.grad(params)

    def hessian(self, params):
        return 2 * self.x.T @ self.x / self.n_samples

    def accuracy(self, params):
        return float(np.mean(np.sign(self.x @ params) == self.y))

    def batch(self, indices):
        return LinearRisk(self.x[indices], self.y[indices])


def linear_risk(n_samples, n_params, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_params))
    return LinearRisk(x, np.sign(x @ np.ones(n_params) + 0.5 * rng.normal(size=n_samples)))
