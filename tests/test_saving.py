"""Saving and loading: exact, readable by others, whole or not at all, and never code."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr

KINDS = [
    pytest.param(
        "safetensors",
        marks=pytest.mark.skipif(
            not __import__("importlib.util").util.find_spec("safetensors"), reason="no safetensors"
        ),
    ),
    "npz",
]
each_kind = pytest.mark.parametrize("kind", KINDS)


def parts(seed: int = 0) -> dict[str, Any]:
    """A run in its middle: a model that has learnt, with the states of everything."""
    tr.manual_seed(seed)
    model = tr.nn.Sequential(tr.nn.Linear(3, 4), tr.nn.LayerNorm(4), tr.nn.Linear(4, 2, dtype="float32"))
    optimizer = tr.optim.Adam(model.parameters(), lr=0.1)
    schedule = tr.optim.SequentialLR(
        optimizer,
        [tr.optim.LinearLR(optimizer, total_iters=3), tr.optim.CosineAnnealingLR(optimizer, T_max=9)],
        [3],
    )
    for _ in range(seed):
        optimizer.zero_grad()
        (model(tr.randn(5, 3)) ** 2).mean().backward()
        optimizer.step()
        schedule.step()
    return {"model": model, "optimizer": optimizer, "schedule": schedule, "rng": np.random.default_rng(seed)}


def states(parts: dict[str, Any]) -> Any:
    return {
        name: part.bit_generator.state if isinstance(part, np.random.Generator) else part.state_dict()
        for name, part in parts.items()
    }


def same(a: Any, b: Any) -> bool:
    np.testing.assert_equal(a, b)
    return True


@each_kind
def test_all_comes_back_exactly(kind: str, tmp_path: Path) -> None:
    saved = parts(5)
    plain = {"step": 7, "notes": ("a", [None, True, float("inf")], {"b": np.arange(3), 2: 0.1})}
    path = tr.save(tmp_path / f"run.{kind}", **saved, **plain)
    other = parts(2)
    same(tr.load(path, **other), plain)
    assert same(states(other), states(saved))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    rest = tr.load(path)  # and without anything to load into, all of it as plain data
    assert same(rest["optimizer"], saved["optimizer"].state_dict())
    assert same(rest["model"], saved["model"].state_dict())


plain_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=plain_data, key=st.text(min_size=1, max_size=4))
def test_plain_data_comes_back(value: Any, key: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        json.dumps(value).encode()
    except UnicodeEncodeError:
        return
    path = tmp_path_factory.mktemp("s") / "data.npz"
    arrays = {"a.b": np.ones(2), "a": {"b": np.zeros(3)}}  # one dotted path, two arrays
    assert same(tr.load(tr.save(path, **{key: value}, arrays=arrays)), {key: value, "arrays": arrays})


@each_kind
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint16", "int64", "bool", ">f4"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_arrays_of_each_dtype_and_layout(
    kind: str, dtype: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype).T
    got = tr.load(tr.save(tmp_path / f"a.{kind}", array=array))["array"]
    assert got.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(got, array)


def test_any_module_name_is_a_name_in_an_npz(tmp_path: Path) -> None:
    class Odd(tr.nn.Module):
        def __init__(self) -> None:
            self.file, self.allow_pickle = tr.nn.Parameter([1.0]), tr.nn.Parameter([2.0])

    path = tr.save(tmp_path / "odd.npz", model=Odd())
    model = Odd()
    model.file.data[:] = 9
    assert tr.load(path, model=model) == {}
    assert model.file.tolist() == [1.0]
    with np.load(path) as archive:
        assert archive["allow_pickle"] == [2.0]


def test_numpys_own_files_are_models(tmp_path: Path) -> None:
    linear, other = tr.nn.Linear(3, 2, rng=0), tr.nn.Linear(3, 2, rng=1)
    np.savez_compressed(tmp_path / "m.npz", **linear.state_dict())
    tr.load(tmp_path / "m.npz", model=other)
    assert same(other.state_dict(), linear.state_dict())


@pytest.mark.optional
def test_pytorch_reads_it_and_the_reverse(tmp_path: Path) -> None:
    torch, safe = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    ours = tr.nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    optimizer = tr.optim.Adam(ours.parameters())
    theirs = torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    path = tr.save(tmp_path / "ours.safetensors", model=ours)
    theirs.load_state_dict(safe.load_file(path))
    assert same({k: v.numpy() for k, v in theirs.state_dict().items()}, ours.state_dict())
    read = safe.load_file(tr.save(path, model=ours, optimizer=optimizer, step=1))
    theirs.load_state_dict({key: value for key, value in read.items() if "/" not in key})

    theirs = torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    safe.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    tr.load(tmp_path / "theirs.safetensors", model=ours)
    assert same({k: v.numpy() for k, v in theirs.state_dict().items()}, ours.state_dict())
    safe.save_file({"x": torch.zeros(2, dtype=torch.bfloat16)}, path)
    with pytest.raises(ValueError, match=r"ours\.safetensors"):
        tr.load(path, model=ours)


# --- whole or not at all ------------------------------------------------------------------------------------
@each_kind
def test_a_failed_save_leaves_the_old_file(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tr.save(tmp_path / f"run.{kind}", step=1)
    with pytest.raises(TypeError, match="what/a is of type object"):
        tr.save(path, step=2, what={"a": object()})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        tr.save(path, step=2)
    assert tr.load(path) == {"step": 1}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "a.npz", tmp_path / "latest.npz"
    tr.save(target, step=1)
    link.symlink_to(target)
    tr.save(link, step=2)
    assert link.is_symlink()
    assert tr.load(target) == {"step": 2}


def refused(path: Path, message: str | None = None) -> None:
    """Loading is a clear error, and changes nothing, neither in what fits nor in what does not."""
    loaded = parts(3)
    before = states(loaded)
    with pytest.raises(ValueError, match=message) as caught:
        tr.load(path, **loaded)
    assert path.name in str(caught.value)
    assert same(states(loaded), before)


@each_kind
def test_every_truncation_is_refused(kind: str, tmp_path: Path) -> None:
    whole = tr.save(tmp_path / f"whole.{kind}", **parts(4)).read_bytes()
    path = tmp_path / f"cut.{kind}"
    for n in [0, 1, 7, 8, 9, 100, *np.linspace(101, len(whole) - 1, 25).astype(int).tolist()]:
        path.write_bytes(whole[:n])
        refused(path, "no readable")


@each_kind
def test_no_damage_gets_through(kind: str, tmp_path: Path) -> None:
    """One bit turned anywhere: refused, or (a safetensors has no sum) only a number is another."""
    saved = parts(4)
    whole = tr.save(tmp_path / f"whole.{kind}", **saved).read_bytes()
    rng, path = np.random.default_rng(0), tmp_path / f"bad.{kind}"
    for at in rng.integers(0, len(whole), 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.integers(8)]) + whole[at + 1 :])
        loaded = parts(3)
        before = states(loaded)
        try:
            tr.load(path, **loaded)
        except ValueError:
            assert same(states(loaded), before)


def described(path: Path, text: Any, arrays: dict[str, Any] | None = None) -> Path:
    from tinyrnn.training.formats import write_arrays

    return write_arrays(path, arrays or parts(3)["model"].state_dict(), text)


def form(**changed: Any) -> str:
    keys = list(parts(3)["model"].state_dict())
    packed: dict[str, Any] = {"model": keys, "optimizer": 1, "schedule": 2, "rng": 3}
    return json.dumps({"version": 1, "parts": packed | changed})


@each_kind
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "description is damaged"),
        ("[" * 100_000, "description is damaged"),
        ("[1]", "description is damaged"),
        ('{"version": 2, "parts": {}}', "version 2"),
        ('{"version": 1, "parts": {"model": ["no"]}}', "description is damaged"),
        (form(optimizer={"array": "../../etc/passwd"}), "description is damaged"),
        (form(optimizer={"python": "os.system"}), "description is damaged"),
        (form(optimizer={"dict": [["state", []], ["param_groups", [1]]]}), "TypeError|subscriptable"),
        (form(optimizer={"dict": []}), "missing"),
        (form(model=[]), "missing: 0.weight"),
        ('{"version": 1, "parts": {}}', "there is no 'model' in the file"),
    ],
)
def test_hostile_descriptions(kind: str, text: str, message: str, tmp_path: Path) -> None:
    refused(described(tmp_path / f"bad.{kind}", text), message)


@each_kind
@pytest.mark.parametrize("part", ["optimizer", "schedule", "rng"])
def test_a_part_that_does_not_fit_undoes_the_others(kind: str, part: str, tmp_path: Path) -> None:
    """The model comes first and fits; what comes after does not."""
    saved = parts(4)
    wrong: dict[str, Any] = {
        "optimizer": tr.optim.SGD(saved["model"].parameters(), lr=0.1),
        "schedule": tr.optim.StepLR(saved["optimizer"], 3),
        "rng": np.random.Generator(np.random.MT19937(0)),
    }
    refused(tr.save(tmp_path / f"a.{kind}", **{**saved, part: wrong[part]}))


@pytest.mark.parametrize("value", ["12", None, [1], float("nan"), -1, 2**200])
def test_hostile_states_of_generators_and_schedules(value: Any, tmp_path: Path) -> None:
    state = np.random.default_rng(0).bit_generator.state
    state["state"]["state"] = value
    refused(tr.save(tmp_path / "rng.npz", **{**parts(4), "rng": state}))
    if not isinstance(value, (int, float)):
        schedule = {**parts(4)["schedule"].state_dict(), "last_epoch": value}
        refused(tr.save(tmp_path / "s.npz", **{**parts(4), "schedule": schedule}))


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("pwned",)


def test_pickles_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("evil.npz", weight=np.array([Evil()], object))
    Path("evil.safetensors").write_bytes(pickle.dumps(Evil()))
    Path("pickle.npz").write_bytes(pickle.dumps(Evil()))
    for name in ("evil.npz", "pickle.npz", "evil.safetensors"):
        if name.endswith("npz") or pytest.importorskip("safetensors"):
            refused(Path(name), "no readable")
    assert not Path("pwned").exists()


def test_promises_of_more_than_a_file_holds(tmp_path: Path) -> None:
    for dtype in ("f8", "b1"):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": dtype, "fortran_order": False, "shape": (2**30, 2**30)}
        )
        with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
            archive.writestr("weight.npy", header.getvalue())
        refused(tmp_path / "bomb.npz", "too short")
    pytest.importorskip("safetensors")
    (tmp_path / "bomb.safetensors").write_bytes(struct.pack("<Q", 2**60) + b"{}")
    refused(tmp_path / "bomb.safetensors", "no readable")


def test_misuse(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected \.safetensors or \.npz"):
        tr.save(tmp_path / "model.pt", step=1)
    with pytest.raises(TypeError, match="model is of type int"):
        tr.save(tmp_path / "m.npz", model=3)
    path = tr.save(tmp_path / "m.npz", step=1)
    with pytest.raises(TypeError, match=r"step is of type int; .* in what load returns"):
        tr.load(path, step=0)
    with pytest.raises(FileNotFoundError):
        tr.load(tmp_path / "missing.npz")
    with pytest.raises(FileNotFoundError):
        tr.save(tmp_path / "no" / "m.npz", step=1)
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        tr.load(tmp_path / "folder.npz")


def test_without_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"tinyrnn\[io\]"):
        tr.save(tmp_path / "m.safetensors", step=1)
    assert tr.load(tr.save(tmp_path / "m.npz", step=1)) == {"step": 1}


def test_the_librarys_generator() -> None:
    tr.manual_seed(3)
    state = tr.get_rng_state()
    first = tr.randn(4).numpy()
    tr.set_rng_state(json.loads(json.dumps(state)))
    np.testing.assert_array_equal(tr.randn(4).numpy(), first)
    tr.set_rng_state(state)
    with pytest.raises(ValueError, match="no state of a PCG64 generator"):
        tr.set_rng_state({"bit_generator": "PCG64", "state": {"state": -1, "inc": 3}})
    np.testing.assert_array_equal(tr.randn(4).numpy(), first)
