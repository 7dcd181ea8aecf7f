"""A good call of every public function and constructor, which tests/test_wrong_types.py then spoils.

A public name that has none here, and no excuse in ``LEFT``, fails that test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyrnn as tr


def x(*shape: int) -> tr.Tensor:
    return tr.ones(*shape, requires_grad=True)


def sgd(**options: Any) -> tr.optim.SGD:
    return tr.optim.SGD([x(2)], lr=0.1, **options)


def add(c: Any, x: Any) -> Any:
    return c + x, c


SGD = sgd()
F, nn, optim = tr.nn.functional, tr.nn, tr.optim
data, draw, dynamics, training = tr.data, tr.draw, tr.dynamics, tr.training
ACTIVATIONS = tr.elu, tr.erf, tr.gelu, tr.hardsigmoid, tr.hardtanh, tr.leaky_relu, tr.logsigmoid, tr.mish
ACTIVATIONS += tr.selu, tr.silu, tr.softsign
ACTIVATION_MODULES = nn.ELU, nn.GELU, nn.SELU, nn.Hardsigmoid, nn.Hardtanh, nn.LeakyReLU, nn.LogSigmoid
ACTIVATION_MODULES += nn.Mish, nn.ReLU, nn.Sigmoid, nn.SiLU, nn.Softsign, nn.Tanh
DECODER = nn.Decoder(nn.Embedding(3, 2), nn.GRUCell(2, 2), nn.Linear(2, 3))
ATTENDING = nn.Decoder(nn.Embedding(3, 2), nn.GRUCell(2, 2), nn.Linear(4, 3), nn.DotAttention(2, 2))
CELL = nn.GRUCell(2, 2)
CELLS = nn.GRU(2, 2)
STARTED = tr.RTRL(CELL)
STARTED.start(batch=2)
STARTED.step(np.ones((2, 2), "float32"))
with tr.unrolled():
    RECORDED = nn.GRU(2, 2)(tr.ones(2, 1, 2))[0].sum()
JACOBIANS = np.ones((4, 2, 2, 2))
DRAWING = draw.Drawing("digraph {}")
VOCABULARY = data.Vocabulary("abc")


def count_up(tokens: Any, state: Any) -> Any:
    return np.eye(5)[(np.asarray(tokens) + 1) % 5], state


GOOD: dict[Callable[..., Any], dict[str, Any]] = {
    # Tensors
    tr.tensor: {"data": [1.0]},
    tr.as_tensor: {"data": [1.0]},
    tr.zeros: {},
    tr.ones: {},
    tr.zeros_like: {"x": [1.0]},
    tr.ones_like: {"x": [1.0]},
    tr.randn: {},
    tr.manual_seed: {"seed": 0},
    tr.set_default_dtype: {"dtype": "float32"},
    tr.grad: {"outputs": x(1) * 2, "inputs": x(1), "allow_unused": True},
    # functions of arrays
    **{
        f: {"x": x(2, 3)}
        for f in (
            tr.abs, tr.exp, tr.log, tr.sqrt, tr.tanh, tr.sigmoid, tr.relu, tr.softplus,
            tr.sum, tr.mean, tr.max, tr.min, tr.argmax, tr.argmin,
            tr.logsumexp, tr.softmax, tr.log_softmax, tr.flatten, tr.squeeze,
            tr.transpose,
        )
    },
    **{
        getattr(tr, name): {"x": x(2, 3)}
        for name in (
            "positive", "cbrt", "exp2", "expm1", "log10", "log1p", "log2", "square", "all", "any", "ceil",
            "floor", "isfinite", "isinf", "isnan", "rint", "round", "sign", "signbit", "trunc", "flip",
            "fliplr", "flipud", "conj", "imag", "nan_to_num", "real", "reciprocal", "prod", "std", "var",
            "copy", "matrix_transpose", "argsort", "sort", "acos", "acosh", "arccos", "arccosh", "arcsin",
            "arcsinh", "arctan", "arctanh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "deg2rad",
            "degrees", "rad2deg", "radians", "sin", "sinc", "sinh", "tan", "cumprod", "cumsum", "diff",
            "diagonal", "trace", "rot90",
        )
    },
    **{
        getattr(tr, name): {"a": x(3), "b": x(3)}
        for name in (
            "logaddexp", "logaddexp2", "floor_divide", "fmax", "fmin", "fmod", "mod", "remainder", "dot",
            "inner", "kron", "outer", "vdot", "hypot", "cross",
        )
    },
    **{f: {"y": x(3), "x": x(3)} for f in (tr.arctan2, tr.atan2)},
    **{f: {"arrays": [x(2)]} for f in (tr.hstack, tr.vstack, tr.dstack, tr.column_stack)},
    **{f: {"x": x(2, 2, 2), "sections": 2} for f in (tr.hsplit, tr.vsplit, tr.dsplit, tr.array_split)},
    **{f: {"x": x(3), "kth": 1} for f in (tr.partition, tr.argpartition)},
    **{f: {"m": x(2, 2)} for f in (tr.tril, tr.triu)},
    tr.diag: {"v": x(2)},
    tr.gradient: {"f": x(3)},
    tr.linspace: {"start": x(1), "stop": 1.0},
    tr.append: {"x": x(2), "values": x(2)},
    tr.pad: {"x": x(2), "pad_width": 1},
    tr.repeat: {"x": x(2), "repeats": 2},
    tr.roll: {"x": x(2), "shift": 1},
    tr.tile: {"x": x(2), "reps": 2},
    tr.select: {"condlist": [np.ones(2, bool)], "choicelist": [x(2)]},
    tr.tensordot: {"a": x(2, 2), "b": x(2, 2)},
    tr.moveaxis: {"x": x(2, 2), "source": 0, "destination": 1},
    tr.rollaxis: {"x": x(2, 2), "axis": 1},
    tr.take_along_axis: {"x": x(2), "indices": [0]},
    **{
        getattr(tr.linalg, name): {"a": x(2, 2)}
        for name in (
            "det", "inv", "pinv", "slogdet", "cholesky", "eigh", "eigvalsh", "svd", "svdvals",
        )
    },
    tr.linalg.matrix_power: {"a": x(2, 2), "n": 2},
    **{f: {"x": x(2, 2), "offset": 1} for f in (tr.linalg.diagonal, tr.linalg.trace)},
    tr.linalg.multi_dot: {"arrays": [x(2, 2), x(2, 2)]},
    tr.linalg.solve: {"a": x(2, 2), "b": x(2)},
    **{f: {"x": x(2, 2)} for f in (tr.linalg.norm, tr.linalg.vector_norm, tr.linalg.matrix_norm)},
    # modes, and what is asked of the library
    **{f: {} for f in (tr.no_grad, tr.enable_grad, tr.unrolled, tr.get_default_dtype, tr.get_rng_state)},
    **{f: {} for f in (tr.detect_anomaly, tr.scope)},
    tr.set_rng_state: {"state": tr.get_rng_state()},
    tr.explain: {"function": lambda: None},
    tr.Tensor: {"data": np.ones(1)},
    tr.maximum: {"a": x(2), "b": x(2)},
    tr.minimum: {"a": x(2), "b": x(2)},
    tr.matmul: {"a": x(2, 2), "b": x(2, 2)},
    tr.where: {"condition": np.ones(2, bool), "a": x(2), "b": x(2)},
    tr.clip: {"x": x(2), "min": 0.0},
    tr.astype: {"x": x(2), "dtype": "float64"},
    tr.reshape: {"x": x(2), "shape": (2, 1)},
    tr.broadcast_to: {"x": x(2), "shape": (3, 2)},
    tr.swapaxes: {"x": x(2, 2), "axis1": 0, "axis2": 1},
    tr.expand_dims: {"x": x(2), "axis": 0},
    tr.concatenate: {"arrays": [x(2)]},
    tr.stack: {"arrays": [x(2)]},
    tr.split: {"x": x(2), "sections": 2},
    tr.take: {"x": x(2), "indices": [0]},
    # recurrence
    tr.scan: {"step": add, "carry": x(2), "xs": x(3, 2)},
    tr.TruncatedBPTT: {"k1": 2},
    tr.TruncatedBPTT(2).windows: {"x": np.ones((4, 1))},
    tr.TruncatedBPTT(2).stream: {"steps": iter(())},
    # modules
    **{f: {"input_size": 2, "hidden_size": 3} for f in (nn.RNN, nn.LSTM, nn.GRU)},
    **{f: {"input_size": 2, "hidden_size": 3} for f in (nn.RNNCell, nn.LSTMCell, nn.GRUCell)},
    **{f(2, 3): {"x": x(4, 1, 2)} for f in (nn.RNN, nn.LSTM, nn.GRU)},
    **{f(2, 3): {"x": x(4, 2)} for f in (nn.RNNCell, nn.LSTMCell, nn.GRUCell)},
    nn.Recurrent: {"cell": nn.GRUCell(2, 3)},
    nn.Recurrent(nn.LSTMCell(2, 3)): {"x": x(4, 1, 2)},
    nn.Linear: {"in_features": 2, "out_features": 3},
    nn.Linear(2, 3): {"x": x(2)},
    nn.Embedding: {"num_embeddings": 2, "embedding_dim": 3},
    nn.Embedding(2, 3): {"x": [1]},
    nn.LayerNorm: {"normalized_shape": 3},
    nn.LayerNorm(3): {"x": x(3)},
    nn.Dropout: {},
    nn.Dropout(): {"x": x(3)},
    nn.Parameter: {"data": [1.0]},
    nn.ModuleList: {},
    nn.Linear(2, 3).load_state_dict: {"state_dict": nn.Linear(2, 3).state_dict()},
    nn.Linear(2, 3).train: {},
    nn.Linear(2, 3).requires_grad_: {},
    # activations
    **{f: {"x": x(2)} for f in ACTIVATIONS},
    **{f: {} for f in ACTIVATION_MODULES},
    **{f(): {"x": x(2)} for f in ACTIVATION_MODULES},
    # convolution and pooling
    **{f: {"in_channels": 2, "out_channels": 2, "kernel_size": 1} for f in (nn.Conv1d, nn.Conv2d)},
    **{f: {"kernel_size": 2} for f in (nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d)},
    **{
        f: {"input": x(1, 2, 4, 4)}
        for f in (nn.Conv2d(2, 2, 1), nn.Conv1d(4, 2, 1), nn.MaxPool1d(2), nn.AvgPool2d(2))
    },
    F.conv1d: {"input": x(2, 4), "weight": x(3, 2, 1)},
    F.conv2d: {"input": x(2, 4, 4), "weight": x(3, 2, 1, 1)},
    **{
        f: {"input": x(2, 4, 4), "kernel_size": 2}
        for f in (F.max_pool1d, F.max_pool2d, F.avg_pool1d, F.avg_pool2d)
    },
    # from sequence to sequence
    nn.DotAttention: {"query_size": 2, "key_size": 2},
    nn.AdditiveAttention: {"query_size": 2, "key_size": 2},
    nn.DotAttention(2, 2): {"query": x(1, 2), "keys": x(3, 1, 2)},
    nn.AdditiveAttention(2, 2): {"query": x(1, 2), "keys": x(3, 1, 2)},
    nn.Decoder: {"embedding": nn.Embedding(3, 2), "cell": nn.GRUCell(2, 2), "head": nn.Linear(2, 3)},
    DECODER: {"tokens": [[0]], "state": DECODER.begin(x(1, 2))},
    ATTENDING.begin: {"keys": x(3, 1, 2)},
    nn.linear_decay: {"update": 1, "slope": 0.1},
    nn.exponential_decay: {"update": 1, "k": 0.5},
    nn.inverse_sigmoid_decay: {"update": 1, "k": 2.0},
    nn.scheduled_sampling: {"probability": 0.5, "steps": 2, "batch": 1},
    nn.mask: {"lengths": [1, 2]},
    nn.edit_distance: {"a": "a", "b": "b"},
    nn.error_rate: {"predictions": ["a"], "targets": ["b"]},
    nn.CTCLoss: {},
    **{
        f: {"log_probs": x(3, 1, 2), "targets": [[1]], "input_lengths": [3], "target_lengths": [1]}
        for f in (nn.CTCLoss(), nn.ctc_loss)
    },
    nn.ctc_greedy_decode: {"log_probs": x(3, 1, 2)},
    nn.ctc_beam_decode: {"log_probs": x(3, 1, 2)},
    # losses
    **{f: {} for f in (nn.MSELoss, nn.L1Loss, nn.HuberLoss, nn.CrossEntropyLoss)},
    **{f: {} for f in (nn.NLLLoss, nn.BCEWithLogitsLoss)},
    nn.Buffer: {"data": [1.0]},
    nn.ModuleDict: {},
    tr.backend: {"name": "numpy"},
    tr.set_backend: {"name": "numpy"},
    tr.jacobian: {"function": lambda x: x * x, "inputs": [1.0]},
    tr.hessian: {"function": lambda x: (x * x).sum(), "inputs": [1.0]},
    **{f: {"input": x(2), "target": np.ones(2)} for f in (F.mse_loss, F.l1_loss, F.huber_loss)},
    F.binary_cross_entropy_with_logits: {"input": x(2), "target": np.ones(2)},
    F.cross_entropy: {"input": x(2, 3), "target": [0, 1]},
    F.nll_loss: {"input": x(2, 3), "target": [0, 1]},
    F.dropout: {"x": x(2)},
    # initialisers
    **{
        getattr(nn.init, name): {"tensor": tr.ones(2, 2)}
        for name in dir(nn.init)
        if name.endswith("_") and not name.startswith("_") and name != "constant_"
    },
    nn.init.constant_: {"tensor": tr.ones(2), "value": 1.0},
    nn.init.calculate_gain: {"nonlinearity": "tanh"},
    # optimisers and schedules
    **{f: {"params": [x(2)]} for f in (optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad)},
    sgd().step: {},
    sgd().add_param_group: {"param_group": {"params": [x(2)]}},
    sgd().load_state_dict: {"state_dict": sgd().state_dict()},
    optim.clip_grad_norm_: {"parameters": [x(2)], "max_norm": 1.0},
    optim.clip_grad_value_: {"parameters": [x(2)], "clip_value": 1.0},
    optim.StepLR: {"optimizer": sgd(), "step_size": 2},
    optim.MultiStepLR: {"optimizer": sgd(), "milestones": [2]},
    optim.OneCycleLR: {"optimizer": sgd(), "max_lr": 0.1, "total_steps": 5},
    optim.ExponentialLR: {"optimizer": sgd(), "gamma": 0.5},
    optim.CosineAnnealingLR: {"optimizer": sgd(), "T_max": 3},
    optim.LinearLR: {"optimizer": sgd()},
    optim.SequentialLR: {
        "optimizer": SGD, "schedulers": [optim.StepLR(SGD, 1), optim.StepLR(SGD, 1)], "milestones": [2],
    },
    optim.LambdaLR: {"optimizer": sgd(), "lr_lambda": lambda t: 1.0},
    optim.ReduceLROnPlateau: {"optimizer": sgd()},
    # data, generation, training
    data.batches: {"x": np.ones(3)},
    data.bucket_by_length: {"x": [[1.0]]},
    data.pad_sequence: {"sequences": [[1.0]]},
    data.split_in_time: {"series": np.ones(9)},
    data.windows_of: {"series": np.ones(9), "look_back": 2},
    data.streams: {"sequence": np.ones(9), "batch": 2},
    data.Vocabulary: {"tokens": "abc"},
    VOCABULARY.encode: {"sequence": "ab"},
    VOCABULARY.split: {"ids": [0]},
    VOCABULARY.decode: {"ids": [0]},
    VOCABULARY.save: {"path": "unwritten"},
    VOCABULARY.load: {"path": "unwritten"},
    tr.generate: {"model": count_up, "prompt": [0], "length": 1},
    tr.beam_search: {"model": count_up, "prompt": [0], "length": 1, "width": 1},
    tr.save: {"path": "unwritten"},
    tr.load: {"path": "unwritten"},
    tr.fit: {
        "model": nn.Linear(2, 1), "loss": lambda model, x: model(x).sum(), "batches": [np.ones((1, 2))],
        "optimizer": sgd(), "epochs": 1,
    },
    training.EarlyStopping: {"patience": 1},
    training.BestWeights: {},
    training.History: {},
    # dynamics
    tr.Stepper: {"step": lambda h, x: (h, x), "carry": x(2)},
    CELLS.initial_state: {"batch": 2},
    CELLS.stepper: {"batch": 2},
    **{f: {"cell": CELL} for f in (tr.RTRL, dynamics.SnAp1, dynamics.UORO)},
    STARTED.start: {"batch": 2},
    STARTED.step: {"x": np.ones((2, 2), "float32")},
    STARTED.backward: {"loss": x(1)},
    **{
        f: {"cell": CELL, "xs": np.ones((4, 2, 2))}
        for f in (
            dynamics.gate_jacobians, dynamics.gate_values, dynamics.jacobian_products,
            dynamics.lyapunov_exponents, dynamics.step_jacobians,
        )
    },
    dynamics.perturb: {"cell": CELL, "xs": np.ones((4, 2, 2)), "carry": None, "delta": 1e-3},
    dynamics.carry_parts: {"carry": x(2, 3)},
    dynamics.spectral_norm: {"W": x(2, 2)},
    dynamics.spectral_radius: {"W": x(2, 2)},
    dynamics.log10_bound: {"W_hh": x(2, 2), "lag": [1]},
    dynamics.diagnose: {"model": lambda x: x.sum(), "batch": x(1)},
    dynamics.watch: {"model": nn.GRU(2, 2)},
    dynamics.diagnose_watch: {"watched": dynamics.watch(nn.GRU(2, 2))},
    dynamics.gradient_flow: {"loss": x(1).sum()},
    # drawings
    draw.Drawing: {"source": "digraph {}"},
    DRAWING.pipe: {},
    DRAWING.render: {"path": "unwritten.svg"},
    DRAWING.save: {"path": "unwritten"},
    draw.Stepper: {"html": "", "summary": ""},
    draw.Stepper("", "").save: {"path": "unwritten"},
    draw.stepper: {"output": RECORDED},
    draw.unrolled: {"outputs": RECORDED},
    draw.graph: {"tensor": RECORDED},
    draw.compare: {"first": RECORDED, "second": RECORDED},
    draw.plot_gradient_norms: {"runs": next(iter(dynamics.gradient_flow(RECORDED).states.values()))},
    draw.plot_step_jacobians: {"jacobians": JACOBIANS},
    draw.plot_gate_jacobians: {"parts": {"r": JACOBIANS}},
    draw.plot_gate_values: {"values": {"r": np.ones((4, 2, 2))}},
    draw.plot_jacobian_products: {"products": dynamics.jacobian_products(CELL, np.ones((4, 2, 2)))},
    draw.plot_lyapunov_exponents: {"exponents": np.ones((1, 2))},
    draw.plot_spectrum: {"W": np.ones((2, 2))},
    draw.plot_perturbation: {"change": dynamics.perturb(CELL, np.ones((4, 2, 2)), None, 1e-3)},
    draw.plot_gradient_flow: {"flow": dynamics.gradient_flow(RECORDED)},
    draw.plot_gradient_table: {"table": np.ones((2, 2))},
    draw.plot_gates: {"gates": {}},
    draw.plot_weight_shares: {"weights": {}},
    draw.plot_watch: {"watched": dynamics.watch(nn.GRU(2, 2))},
    draw.plot_diagnosis: {"diagnosis": dynamics.diagnose(lambda x: x.sum(), x(1))},
    tr.testing.check_grads: {"f": lambda: tr.ones(1, dtype="float64")},
}  # fmt: skip
# Whatever these are given may be meant: the truth of anything, and what is only handed on.
ANYTHING = {
    ("TruncatedBPTT", "y"), ("grad", "grad_outputs"), ("generate", "state"), ("beam_search", "state"),
    ("diagnose", "batch"),
    ("Decoder", "carry"), ("scope", "owner"),
}  # fmt: skip


# Values of the right type that no one can mean.
BAD_VALUES: list[tuple[Any, str, Any]] = [
    (nn.Conv1d, "in_channels", 0),
    (nn.Conv1d, "out_channels", -1),
    (nn.Conv1d, "kernel_size", 0),
    (nn.Conv2d, "kernel_size", (1, -1)),
    (nn.Conv2d, "stride", 0),
    (nn.Conv2d, "dilation", 0),
    (nn.Conv2d, "padding", -1),
    (nn.Conv2d, "padding", "some"),
    (nn.Conv2d, "groups", 0),
    (nn.Conv2d, "groups", 3),
    (nn.Conv2d, "padding_mode", "mirror"),
    (F.conv1d, "groups", 0),
    (nn.MaxPool1d, "kernel_size", 0),
    (nn.MaxPool2d, "stride", 0),
    (nn.MaxPool2d, "dilation", -1),
    (nn.AvgPool1d, "padding", -1),
    (nn.AvgPool2d, "divisor_override", 0),
    (F.avg_pool2d, "divisor_override", 0),
    (F.max_pool1d, "kernel_size", 0),
    (nn.ctc_loss, "blank", -1),
    (nn.ctc_loss, "blank", 2),
    (nn.ctc_loss, "reduction", "average"),
    (nn.CTCLoss, "blank", -1),
    (nn.CTCLoss, "reduction", "average"),
    (nn.ctc_beam_decode, "beam_width", 0),
    (nn.ctc_greedy_decode, "blank", 7),
    (nn.DotAttention, "query_size", 0),
    (nn.AdditiveAttention, "hidden_size", -1),
    (nn.linear_decay, "start", 2.0),
    (nn.exponential_decay, "k", 1.0),
    (nn.inverse_sigmoid_decay, "k", 0.5),
    (nn.scheduled_sampling, "probability", 2),
    (nn.scheduled_sampling, "steps", 0),
    (nn.scheduled_sampling, "per", "token"),
    (nn.mask, "T", -1),
    (nn.GELU, "approximate", "sigmoid"),
    (tr.gelu, "approximate", "sigmoid"),
    (tr.repeat, "repeats", -1),
    (tr.tile, "reps", -1),
    (tr.pad, "pad_width", -1),
    (tr.pad, "mode", "mirror"),
    (tr.split, "sections", 0),
    (tr.reshape, "shape", (-2, -1)),
    (tr.sum, "axis", 5),
    (tr.stack, "axis", -3),
    (tr.cumsum, "axis", 4),
    (tr.diff, "n", -1),
    (tr.linspace, "num", -1),
    (tr.gradient, "edge_order", 3),
    (tr.linalg.norm, "ord", "max"),
    (tr.linalg.norm, "ord", float("nan")),
    (tr.linalg.eigh, "UPLO", "X"),
    (tr.scan, "segment", 0),
    (tr.scan, "length", -1),
    (tr.scope, "step", -1),
    (draw.unrolled, "level", "gates"),
    (draw.unrolled, "weights", "copy"),
    (draw.unrolled, "values", "all"),
    (draw.unrolled, "max_nodes", 0),
    (draw.unrolled, "theme", "grey"),
    (draw.graph, "values", "all"),
    (draw.graph, "max_nodes", -1),
    (draw.Drawing, "timeout", 0.0),
    (draw.Drawing, "timeout", float("nan")),
    (DRAWING.render, "format", "gif"),
    (DRAWING.pipe, "format", "gif"),
    (draw.plot_jacobian_products, "row", 2),
    (draw.plot_perturbation, "row", -3),
    (draw.stepper, "max_records", 0),
    (tr.hardtanh, "min_val", 3.0),
    (data.batches, "size", 0),
    (data.batches, "rng", -1),
    (data.bucket_by_length, "size", -3),
    (data.split_in_time, "look_back", -1),
    (data.windows_of, "look_back", 0),
    (data.windows_of, "horizon", 0),
    (data.windows_of, "stride", -1),
    (data.streams, "batch", 0),
    (data.Vocabulary, "minimum", -1),
    (tr.generate, "length", -1),
    (tr.generate, "temperature", -1.0),
    (tr.generate, "temperature", float("nan")),
    (tr.generate, "top_k", 0),
    (tr.generate, "top_p", 0.0),
    (tr.generate, "top_p", 2.0),
    (tr.generate, "end", -1),
    (tr.beam_search, "width", 0),
    (tr.beam_search, "length", 0),
    (tr.beam_search, "length_penalty", -1.0),
    (tr.RTRL, "memory_limit", 0),
    (dynamics.UORO, "rng", -1),
    (STARTED.start, "batch", 0),
    (dynamics.lyapunov_exponents, "n", 0),
    (dynamics.lyapunov_exponents, "n", 9),
    (dynamics.lyapunov_exponents, "warm_up", -1),
    (dynamics.log10_bound, "nonlinearity", "sine"),
    (dynamics.log10_bound, "nonlinearity", -1.0),
    (dynamics.diagnose, "max_norm", -1.0),
    (dynamics.watch, "every", 0),
    (dynamics.watch, "max_norm", 0.0),
    (tr.fit, "epochs", -1),
    (tr.fit, "clip", -1.0),
    (tr.fit, "schedule_each", "batch"),
    (training.EarlyStopping, "patience", 0),
    (training.EarlyStopping, "mode", "best"),
    (training.EarlyStopping, "min_delta", -1.0),
    (training.BestWeights, "mode", "best"),
]  # fmt: skip
# Values of another type, which NumPy or Python would take for something.
BAD_TYPES: list[tuple[Any, str, Any]] = [
    (tr.sum, "axis", "0"),
    (tr.sum, "axis", True),
    (tr.sum, "axis", 1.0),
    (tr.sum, "keepdims", 1),
    (tr.max, "axis", [0, None]),
    (tr.argmax, "axis", (0, 1)),
    (tr.softmax, "axis", False),
    (tr.var, "ddof", True),
    (tr.clip, "min", "a"),
    (tr.clip, "max", 1j),
    (tr.where, "a", "a"),
    (tr.where, "b", None),
    (tr.where, "condition", "a"),
    (tr.reshape, "shape", 2.0),
    (tr.reshape, "shape", (True, 2)),
    (tr.broadcast_to, "shape", "23"),
    (tr.expand_dims, "axis", True),
    (tr.concatenate, "arrays", {"a": x(2)}),
    (tr.concatenate, "axis", True),
    (tr.stack, "arrays", {1.0, 2.0}),
    (tr.split, "sections", 2.0),
    (tr.array_split, "sections", True),
    (tr.tril, "k", 0.5),
    (tr.diag, "k", True),
    (tr.roll, "shift", 0.5),
    (tr.rot90, "axes", 1),
    (tr.tile, "reps", 1.5),
    (tr.repeat, "repeats", [1.0, 2.0]),
    (tr.pad, "pad_width", 1.5),
    (tr.pad, "pad_width", True),
    (tr.pad, "mode", np.array(["edge", "wrap"])),
    (tr.partition, "kth", 1.5),
    (tr.take, "indices", [0.5]),
    (tr.tensordot, "axes", "12"),
    (tr.gradient, "edge_order", True),
    (tr.linspace, "num", 3.0),
    (tr.nan_to_num, "nan", "0"),
    (tr.select, "condlist", {True}),
    (tr.round, "decimals", 1.5),
    (tr.linalg.norm, "ord", True),
    (tr.linalg.matrix_power, "n", 2.0),
    (tr.linalg.pinv, "rcond", "1e-3"),
    (tr.linalg.svd, "compute_uv", 1),
    (tr.hardtanh, "max_val", True),
    (tr.scan, "reverse", 1),
    (draw.unrolled, "gradients", "no"),
    (draw.unrolled, "expand", ["1"]),
    (draw.unrolled, "outputs", 1.0),
    (draw.plot_gates, "gates", {"r": 1.0}),
    (draw.plot_weight_shares, "weights", {"w": "a"}),
    (tr.scan, "length", 3.0),
    (tr.scope, "step", 1.0),
    (tr.Tensor, "data", np.array(["a"])),
]  # fmt: skip
# Of any number of arguments: a good call, arguments by name, and what an error calls the others.
VARIADIC: list[tuple[Any, tuple[Any, ...], dict[str, Any], str]] = [
    (tr.zeros, (2, 3), {"dtype": None}, "shape"),
    (tr.ones, (2, 3), {}, "shape"),
    (tr.randn, (2, 3), {}, "shape"),
    (tr.atleast_1d, (x(2), x(2)), {}, "arys"),
    (tr.atleast_2d, (x(2), x(2)), {}, "arys"),
    (tr.atleast_3d, (x(2), x(2)), {}, "arys"),
    (tr.einsum, ("ij,jk", x(2, 2), x(2, 2)), {"optimize": False}, "operands"),
    (tr.einsum, (x(2, 2), [0, 1], [0]), {}, "operands"),
    (tr.gradient, (x(3, 3), 1.0, [0.0, 1.0, 3.0]), {"edge_order": 1}, ""),
    (tr.pad, (x(2),), {"pad_width": 1, "constant_values": 2.0}, "x"),
    (x(2, 3).reshape, (3, 2), {}, "shape"),
    (x(2, 3).transpose, (1, 0), {}, "axes"),
    (x(2, 3).broadcast_to, (2, 3), {}, "shape"),
]
ROOMS = {
    "tr": tr,
    "tr.linalg": tr.linalg,
    "tr.draw": tr.draw,
    "tr.nn": nn,
    "tr.nn.functional": F,
    "tr.nn.init": nn.init,
    "tr.optim": optim,
    "tr.data": data,
    "tr.dynamics": dynamics,
    "tr.training": training,
    "tr.testing": tr.testing,
}
# What stands in no table, by the reason for it.
LEFT: dict[str, dict[str, set[str]]] = {
    **{room: {} for room in ROOMS},
    "tr": {
        "an error, and warnings": {"AnomalyError", "LostGradientWarning", "ScanFallbackWarning"},
        "what calls return": {"Hypothesis", "Plan"},
        "see test_derivatives.py": {"Primitive"},
        "of any arguments, see VARIADIC": {"einsum", "atleast_1d", "atleast_2d", "atleast_3d"},
    },
    "tr.nn": {
        "classes to derive from": {"Cell", "Module"},
        "of any arguments, see test_misuse_nn.py": {"Sequential"},
        "records": {"DecoderState", "LSTMState"},
    },
    "tr.optim": {
        "classes to derive from": {"LRScheduler", "Optimizer"},
        "a warning": {"NonFiniteGradientWarning"},
    },
    "tr.data": {"what calls return": {"Batches", "Buckets", "PaddedBatch", "Streams"}},
    "tr.dynamics": {
        "what calls return": {
            "Diagnosis",
            "Finding",
            "GateShares",
            "GradientFlow",
            "JacobianProducts",
            "Perturbation",
            "StateFlow",
            "Watch",
        },
    },
    "tr.training": {"what fit makes": {"Run"}},
}
