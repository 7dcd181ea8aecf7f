"""The equations of one step of each cell, and their derivatives.

In each cell ``u = W_ih x + b_ih`` and ``v = W_hh h + b_hh`` are the parts of the pre-activations that come
from the input and from the past. A cell says how they and the state make the next state, all of it
elementwise; the products with the weights are the same for every cell and stand in ``bptt``.

``step(u, v, state) -> (next_state, saved)``
``step_backward(g_next, state, saved) -> (g_u, g_v, g_state)``, where ``g_state`` is what reaches the former
state directly, not by way of ``v``.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
State = tuple[Array, ...]


class Cell(Protocol):
    name: str
    gates: int
    states: int

    def step(self, u: Array, v: Array, state: State) -> tuple[State, Any]: ...

    def step_backward(self, g_next: State, state: State, saved: Any) -> tuple[Array, Array, State]: ...


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


class TanhRNN:
    """h' = tanh(u + v)"""

    name, gates, states = "RNN_TANH", 1, 1

    def step(self, u: Array, v: Array, state: State) -> tuple[State, Any]:
        h_next = np.tanh(u + v)
        return (h_next,), h_next

    def step_backward(self, g_next: State, state: State, saved: Any) -> tuple[Array, Array, State]:
        (g_h,), (h,), h_next = g_next, state, saved
        g_a = g_h * (1 - h_next**2)
        return g_a, g_a, (np.zeros_like(h),)


class ReluRNN:
    """h' = max(u + v, 0)"""

    name, gates, states = "RNN_RELU", 1, 1

    def step(self, u: Array, v: Array, state: State) -> tuple[State, Any]:
        a = u + v
        return (np.maximum(a, 0),), a

    def step_backward(self, g_next: State, state: State, saved: Any) -> tuple[Array, Array, State]:
        (g_h,), (h,), a = g_next, state, saved
        g_a = g_h * (a > 0)
        return g_a, g_a, (np.zeros_like(h),)


class LSTM:
    """i, f, o = sigmoid(...), g = tanh(...);  c' = f c + i g;  h' = o tanh(c')"""

    name, gates, states = "LSTM", 4, 2

    def step(self, u: Array, v: Array, state: State) -> tuple[State, Any]:
        _, c = state
        a_i, a_f, a_g, a_o = np.split(u + v, 4)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c_next = f * c + i * g
        return (o * np.tanh(c_next), c_next), (i, f, g, o, c_next)

    def step_backward(self, g_next: State, state: State, saved: Any) -> tuple[Array, Array, State]:
        g_h, g_c = g_next
        h, c = state
        i, f, g, o, c_next = saved
        g_o = g_h * np.tanh(c_next)
        g_c = g_c + g_h * o * (1 - np.tanh(c_next) ** 2)
        g_i, g_f, g_g = g_c * g, g_c * c, g_c * i
        g_a = np.concatenate([g_i * i * (1 - i), g_f * f * (1 - f), g_g * (1 - g**2), g_o * o * (1 - o)])
        return g_a, g_a, (np.zeros_like(h), g_c * f)


class GRU:
    """r, z = sigmoid(u + v);  n = tanh(u_n + r v_n);  h' = (1 - z) n + z h

    The reset gate acts after the product, on ``v_n = W_hn h + b_hn``.
    """

    name, gates, states = "GRU", 3, 1

    def step(self, u: Array, v: Array, state: State) -> tuple[State, Any]:
        (h,) = state
        u_r, u_z, u_n = np.split(u, 3)
        v_r, v_z, v_n = np.split(v, 3)
        r, z = sigmoid(u_r + v_r), sigmoid(u_z + v_z)
        n = np.tanh(u_n + r * v_n)
        return ((1 - z) * n + z * h,), (r, z, n, v_n)

    def step_backward(self, g_next: State, state: State, saved: Any) -> tuple[Array, Array, State]:
        (g_h,), (h,) = g_next, state
        r, z, n, v_n = saved
        g_a_n = g_h * (1 - z) * (1 - n**2)
        g_a_r = g_a_n * v_n * r * (1 - r)
        g_a_z = g_h * (h - n) * z * (1 - z)
        return np.concatenate([g_a_r, g_a_z, g_a_n]), np.concatenate([g_a_r, g_a_z, g_a_n * r]), (g_h * z,)


CELLS: dict[str, Cell] = {cell.name: cell for cell in (TanhRNN(), ReluRNN(), LSTM(), GRU())}
