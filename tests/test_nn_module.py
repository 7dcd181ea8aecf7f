"""Module: what it finds, what it saves and loads, and what it tells of itself."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn import nn


class Tagger(nn.Module):
    """A model of several levels; without a call of super().__init__(), which none needs."""

    def __init__(self, **options: Any) -> None:
        self.embed = nn.Embedding(7, 3, **options)
        self.rnn = nn.LSTM(3, 4, bidirectional=True, **options)
        self.heads = nn.ModuleList([nn.Linear(8, 2, **options), nn.Linear(8, 5, **options)])
        self.scale = nn.Parameter(np.ones(2, np.float32))

    def forward(self, x: Any) -> Any:
        y, _ = self.rnn(self.embed(x))
        return [head(y) for head in self.heads]


KEYS = [
    "embed.weight",
    *(
        f"rnn.{name}_l0{suffix}"
        for suffix in ("", "_reverse")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ),
    *(f"heads.{i}.{name}" for i in (0, 1) for name in ("weight", "bias")),
]


# --- what is found ------------------------------------------------------------------------------------------
def test_parameters_have_pytorchs_keys_and_their_order() -> None:
    model = Tagger()
    assert [name for name, _ in model.named_parameters()] == [*KEYS, "scale"]
    assert list(model.state_dict()) == [*KEYS, "scale"]
    assert len(list(model.parameters())) == len(KEYS) + 1
    assert next(iter(model.named_parameters("tagger")))[0] == "tagger.embed.weight"


def test_modules_are_found_parents_first() -> None:
    model = Tagger()
    assert [path for path, _ in model.named_modules()] == [
        "",
        "embed",
        "rnn",
        "rnn.l0",
        "rnn.l0_reverse",
        "heads",
        "heads.0",
        "heads.1",
    ]
    assert [type(m) for m in model.children()] == [nn.Embedding, nn.LSTM, nn.ModuleList]
    assert next(iter(model.modules())) is model


def test_a_shared_parameter_is_trained_once_and_saved_under_both_keys() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert len(list(copy.deepcopy(model).parameters())) == 3


@pytest.mark.parametrize("container", [list, tuple, lambda items: dict(enumerate(items))])
def test_modules_in_a_plain_container_are_refused(container: Any) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.parts = container([nn.Linear(2, 2)])

    with pytest.raises(TypeError, match=r"Model.parts is a \w+ that holds modules or parameters.*ModuleList"):
        Model()


def test_a_parameter_is_not_lost_to_an_assignment() -> None:
    linear = nn.Linear(2, 2)
    with pytest.raises(TypeError, match=r"Linear.weight is a Parameter, and got ndarray; assign an nn.Param"):
        linear.weight = np.zeros((2, 2))
    linear.weight = nn.Parameter(np.zeros((2, 2), np.float32))
    linear.bias = None
    assert [name for name, _ in linear.named_parameters()] == ["weight"]
    assert linear(np.ones(2)).tolist() == [0, 0]


def test_a_parameter_copies_its_data() -> None:
    data = np.zeros(3)
    parameter = nn.Parameter(data)
    parameter.data += 1
    assert data.tolist() == [0, 0, 0]
    assert parameter.requires_grad
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert nn.Parameter([1.0]).dtype == np.float32
    assert nn.Parameter(data, dtype=np.float32).dtype == np.float32


# --- saving and loading -------------------------------------------------------------------------------------
def test_a_state_dict_is_a_copy_and_loads_in_place() -> None:
    model, other = Tagger(rng=1), Tagger(rng=2)
    state = model.state_dict()
    arrays = [p.data for p in other.parameters()]
    assert other.load_state_dict(state) == ([], [])
    for (key, p), array in zip(other.named_parameters(), arrays, strict=True):
        assert p.data is array, key
        np.testing.assert_array_equal(array, state[key])
    for p in model.parameters():
        p.data += 1
    np.testing.assert_array_equal(other.state_dict()["embed.weight"], state["embed.weight"])
    np.testing.assert_array_equal(state["embed.weight"] + 1, model.embed.weight.numpy())


class WithNumpy:
    """Stands for the Tensor of another library."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def numpy(self) -> Any:
        return self.array


@pytest.mark.parametrize("wrap", [np.asarray, tr.tensor, nn.Parameter, WithNumpy, lambda a: a.tolist()])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loading_casts_to_the_modules_dtype(wrap: Any, dtype: Any) -> None:
    linear = nn.Linear(3, 2, dtype=dtype)
    weight, bias = np.arange(6.0).reshape(2, 3), np.ones(2)
    linear.load_state_dict({"weight": wrap(weight), "bias": wrap(bias)})
    assert linear.weight.dtype == linear.bias.dtype == dtype
    np.testing.assert_array_equal(linear.weight.numpy(), weight)


def test_loading_tells_all_that_does_not_fit_and_changes_nothing() -> None:
    linear = nn.Linear(3, 2)
    before = linear.state_dict()
    wrong = {"weight": np.zeros((3, 2)), "biass": np.zeros(2), "gain": 1.0}
    with pytest.raises(ValueError) as error:
        linear.load_state_dict(wrong)
    assert str(error.value) == (
        "Linear: the state dict does not fit:\n"
        "  missing: bias, (2,)\n"
        "  unexpected: biass\n"
        "  unexpected: gain\n"
        "  misshapen: weight has shape (3, 2); expected (2, 3)"
    )
    with pytest.raises(ValueError, match="unreadable: bias is ndarray of <U1; expected real numbers"):
        linear.load_state_dict({"weight": np.zeros((2, 3)), "bias": np.array(["a", "b"])})
    with pytest.raises(ValueError, match="unreadable: bias is None; expected real numbers"):
        linear.load_state_dict({"weight": np.zeros((2, 3)), "bias": None})
    for key, value in linear.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


def test_loading_that_is_not_strict_still_refuses_other_shapes() -> None:
    linear = nn.Linear(3, 2)
    assert linear.load_state_dict({"bias": [5, 6], "gain": 1.0}, strict=False) == (["weight"], ["gain"])
    assert linear.bias.tolist() == [5, 6]
    with pytest.raises(ValueError, match=r"misshapen: bias has shape \(3,\); expected \(2,\)"):
        linear.load_state_dict({"bias": np.zeros(3)}, strict=False)


def test_copies_and_pickles_are_independent() -> None:
    model = Tagger()
    next(model.parameters()).requires_grad = False
    x = np.array([[1], [2]])
    expected = model(x)[1].numpy()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other(x)[1].numpy(), expected)
        assert [p.requires_grad for p in other.parameters()] == [p.requires_grad for p in model.parameters()]
        assert [p.name for p in other.parameters()] == [p.name for p in model.parameters()]
        for p in other.parameters():
            p.data += 1
    np.testing.assert_array_equal(model(x)[1].numpy(), expected)


# --- modes --------------------------------------------------------------------------------------------------
def test_train_and_eval_reach_all_parts() -> None:
    model = Tagger()
    assert all(m.training for m in model.modules())
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    assert all(m.training for m in model.train().modules())


def test_freezing_and_clearing_gradients() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    assert model[0].requires_grad_(False) is model[0]
    model(np.ones((4, 2))).sum().backward()
    assert [p.grad is None for p in model.parameters()] == [True, True, False, False]
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    model.requires_grad_()
    model(np.ones((4, 2))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


# --- scopes and names ---------------------------------------------------------------------------------------
def paths(output: tr.Tensor) -> set[str]:
    """The scopes of the records of operations that an output was made of."""
    found, todo = set(), [output.node]
    while todo:
        node = todo.pop()
        if node is not None and node.primitive is not None:
            found.add(node.scope.path() if node.scope else "")
            todo += node.inputs
    return found


def test_records_know_the_path_of_their_module() -> None:
    model = Tagger()
    with tr.unrolled():
        a, b = model(np.array([[1], [2]]))
    assert paths(a) == {"embed", "rnn", "rnn.l0", "rnn.l0_reverse", "heads.0"}
    assert paths(b) == {"embed", "rnn", "rnn.l0", "rnn.l0_reverse", "heads.1"}
    with tr.scope("teacher"):
        assert paths(nn.Sequential(nn.Sequential(nn.Linear(2, 2)))(np.ones(2))) == {"teacher.0.0"}
    assert paths(nn.Linear(2, 2)(np.ones(2))) == {""}


def test_the_scope_is_left_where_forward_fails() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="in_features"):
        model(np.ones(3))
    assert paths(tr.ones(1, requires_grad=True) * 2) == {""}


def test_parameters_know_their_names_in_whatever_order_a_model_is_put_together() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.layers = nn.ModuleList()
            self.layers.append(nn.Sequential(nn.GRU(2, 2)))

    outer = nn.ModuleList([Model()])
    outer[0].layers.append(nn.Linear(2, 2))
    outer[0].layers[0][0].weight_ih_l0 = nn.Parameter(np.zeros((6, 2), np.float32))
    names = {name: p.name for name, p in outer.named_parameters()}
    assert names == {name: name for name in names}
    assert set(names) >= {"0.layers.0.0.weight_ih_l0", "0.layers.1.bias"}
    assert all(p.node.name == p.name for p in outer.parameters())
    outer.requires_grad_(False).requires_grad_(True)
    assert all(p.node.name == p.name for p in outer.parameters())


def test_repr_shows_the_parts_with_parameter_counts() -> None:
    assert repr(Tagger()) == (
        "Tagger(  # 374 parameters\n"
        "  (embed): Embedding(7, 3)  # 21\n"
        "  (rnn): LSTM(3, 4, bidirectional=True)  # 288\n"
        "  (heads): ModuleList(  # 63\n"
        "    (0): Linear(8, 2)  # 18\n"
        "    (1): Linear(8, 5)  # 45\n"
        "  )\n"
        ")"
    )
    assert repr(nn.Sequential()) == "Sequential()"
    assert repr(nn.Dropout(0.1)) == "Dropout(p=0.1)"


# --- containers ---------------------------------------------------------------------------------------------
def test_containers_are_lists() -> None:
    a, b = nn.Linear(2, 3), nn.Linear(3, 1)
    modules = nn.ModuleList([a]).append(b)
    assert (len(modules), modules[0], modules[-1], list(modules)) == (2, a, b, [a, b])
    with pytest.raises(IndexError):
        modules[2]
    x = np.ones((4, 2))
    np.testing.assert_array_equal(nn.Sequential(a, b)(x).numpy(), b(a(x)).numpy())


# --- buffers, and parts by name -----------------------------------------------------------------------------
class Standardised(nn.Module):
    def __init__(self) -> None:
        self.mean = nn.Buffer(np.zeros(3))
        self.register_buffer("spread", np.ones(3), persistent=False)
        self.linear = nn.Linear(3, 2, dtype="f8")

    def forward(self, x: Any) -> Any:
        return self.linear((x - self.mean) / self.spread)


def test_buffers_are_saved_and_not_learnt() -> None:
    model = Standardised()
    assert [name for name, _ in model.named_buffers()] == ["mean", "spread"]
    assert [name for name, _ in model.named_parameters()] == ["linear.weight", "linear.bias"]
    model.mean = 0.9 * model.mean + 0.1  # stays a buffer
    assert isinstance(model.mean, nn.Buffer)
    model(np.ones((2, 3))).sum().backward()
    assert model.mean.grad is None
    saved = model.state_dict()
    assert list(saved) == ["mean", "linear.weight", "linear.bias"]
    other = nn.ModuleDict({"first": Standardised()})
    other.load_state_dict({f"first.{key}": value for key, value in saved.items()})
    np.testing.assert_allclose(other["first"].mean.data, 0.1)
    again = copy.deepcopy(model)
    np.testing.assert_array_equal(again.mean.data, model.mean.data)
    assert list(again.state_dict()) == list(saved)
    assert again.mean.data is not model.mean.data


def test_a_buffer_in_a_compiled_step_is_read_at_each_call() -> None:
    class Leaky(nn.Cell):
        def __init__(self) -> None:
            self.hidden_size = 3
            self.keep = nn.Buffer(np.full(3, 0.5))

        def step(self, h: Any, x: Any, /) -> tuple[Any, Any]:
            h = self.keep * h + x
            return h, h

    layer, x = nn.Recurrent(Leaky()), np.ones((4, 1, 3))
    for keep in (0.5, 0.25):
        layer.l0.keep = tr.tensor(np.full(3, keep))
        _, h = layer(x, tr.zeros((1, 3), dtype="f8"))
        np.testing.assert_allclose(h.data, sum(keep**k for k in range(4)))


def test_modules_by_name() -> None:
    heads = nn.ModuleDict({"tag": nn.Linear(4, 2)})
    heads.update({"word": nn.Linear(4, 3)})
    assert list(heads.keys()) == ["tag", "word"]
    assert "tag" in heads
    assert len(heads) == 2
    del heads["tag"]
    assert [name for name, _ in heads.named_parameters()] == ["word.weight", "word.bias"]
    with pytest.raises(KeyError):
        heads["tag"]
    with pytest.raises(TypeError, match="'f' is of type function; expected a Module"):
        heads["f"] = lambda x: x  # type: ignore[assignment]
    with pytest.raises(ValueError, match="'train' is no name for a part"):
        heads["train"] = nn.Linear(1, 1)


def test_functions_stand_among_modules() -> None:
    model = nn.Sequential(nn.Linear(3, 4), tr.tanh, nn.Linear(4, 2))
    x = tr.randn(5, 3)
    np.testing.assert_array_equal(model(x).data, model[2](tr.tanh(model[0](x))).data)
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(TypeError, match="got type; expected a Module"):
        nn.Sequential(nn.Tanh)  # the class, and no module


def test_a_parameter_of_another_shape_is_refused_at_once() -> None:
    gru = nn.GRU(3, 4)
    with pytest.raises(ValueError, match=r"weight_ih has shape \(12, 3\), and got .* \(3, 12\)"):
        gru.weight_ih_l0 = nn.Parameter(np.zeros((3, 12)))
    gru.weight_ih_l0 = nn.Parameter(np.zeros((12, 3)))
