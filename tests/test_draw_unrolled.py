"""Pictures of the unrolled graph, as DOT text: golden texts, structure, styles, notes.

After a wanted change, write the golden texts again and read their difference before it is committed::

    TINYRNN_WRITE_GOLDEN=1 python -m pytest tests/test_draw_unrolled.py -k golden
"""

import os
import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from draw_models import layered, leaf, looped_rnn
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn.draw.layout import available_engines
from tinyrnn.draw.reading.unroll import unroll

GOLDEN = Path(__file__).parent / "golden"
LEVELS = ("op", "gate", "cell", "layer", "rolled")
NODE = re.compile(r'^\s*"((?:[^"\\]|\\.)*)" \[(.*)\];$', re.MULTILINE)
EDGE = re.compile(r'^\s*"((?:[^"\\]|\\.)*)" -> "((?:[^"\\]|\\.)*)" \[(.*)\];$', re.MULTILINE)


def nodes(drawing):
    return dict(NODE.findall(drawing.source))


def edges(drawing, kind="forward"):
    return [(a, b, style) for a, b, style in EDGE.findall(drawing.source) if f'class="{kind}' in style]


def ids(drawing, kind):
    return [id for id, style in nodes(drawing).items() if f'class="{kind}"' in style]


MODELS = {
    "rnn4_op": lambda: (looped_rnn(4, cuts=(2,)), {"level": "op"}),
    "rnn4_cell": lambda: (looped_rnn(4, cuts=(2,)), {"level": "cell"}),
    "rnn4_tray_dark": lambda: (looped_rnn(4), {"weights": "tray", "theme": "dark"}),
    "rnn30_folded": lambda: (looped_rnn(30, every=False), {}),
    "rnn4_rolled": lambda: (looped_rnn(4), {"level": "rolled"}),
    "lstm2_gate": lambda: (layered("LSTM", 2), {"level": "gate"}),
    "gru3_bidirectional_cell": lambda: (layered("GRU", 3, layers=2, bidirectional=True), {}),
    "gru3_layer": lambda: (layered("GRU", 3, layers=2), {"level": "layer"}),
}


@pytest.mark.parametrize("name", MODELS)
def test_golden(name):
    loss, options = MODELS[name]()
    source = tr.draw.unrolled(loss, **options).source
    path = GOLDEN / f"{name}.dot"
    if os.environ.get("TINYRNN_WRITE_GOLDEN") == "1":
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("level", LEVELS)
def test_same_model_gives_the_same_bytes(level):
    one, two = (tr.draw.unrolled(layered("LSTM", 14, layers=2), level).source for _ in range(2))
    assert one == two


# --- structure ----------------------------------------------------------------------------------------------


@given(
    kind=st.sampled_from(["RNN", "LSTM", "GRU"]),
    steps=st.integers(2, 30),
    layers=st.integers(1, 2),
    bidirectional=st.booleans(),
)
def test_each_step_once_and_each_weight_once_a_use(kind, steps, layers, bidirectional):
    drawing = tr.draw.unrolled(
        layered(kind, steps, layers=layers, bidirectional=bidirectional), max_nodes=10**6
    )
    folded = [tuple(map(int, re.findall(r"\d+", id))) for id in ids(drawing, "fold")]
    inside = [t for first, last in folded for t in range(first, last + 1)]
    shown = [int(t) for t in re.findall(r'subgraph "cluster_t(\d+)"', drawing.source)]
    assert sorted(inside + shown) == list(range(1, steps + 1))
    assert bool(inside) == (steps > 12)

    names = [f"l{k}{way}" for k in range(layers) for way in ("", "_reverse")[: 1 + bidirectional]]
    cells = [f"t{t}.{name}.cell" for t in shown for name in names]
    assert Counter(ids(drawing, "cell")) == Counter(cells)
    aliases = [id for id in ids(drawing, "weight") if ".cell." in id]
    weights = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    assert Counter(aliases) == Counter(f"{cell}.{w}_{cell.split('.')[1]}" for cell in cells for w in weights)

    carries = Counter((a, b) for a, b, _ in edges(drawing, "forward carry"))
    columns = sorted([(t, f"t{t}") for t in shown] + [(f[0], f"t{f[0]}..t{f[1]}") for f in folded])
    for name in names:
        row = [id if ".." in id else f"{id}.{name}.cell" for _, id in columns]
        if name.endswith("_reverse"):
            row.reverse()
        for tail, head in pairwise(row):
            assert carries[tail, head] >= 1


@given(steps=st.integers(1, 8), cuts=st.sets(st.integers(1, 7)))
def test_every_use_of_a_weight_has_an_alias_at_level_op(steps, cuts):
    drawing = tr.draw.unrolled(looped_rnn(steps, cuts=cuts), "op")
    matmuls = [id for id in nodes(drawing) if re.fullmatch(r"t\d+\.(rnn|readout)\.matmul(_1)?", id)]
    assert len(matmuls) == 3 * steps
    assert sorted(id.rpartition(".")[0] for id in ids(drawing, "weight")) == sorted(matmuls)


def test_node_ids_tell_what_they_are():
    found = nodes(tr.draw.unrolled(looped_rnn(4), "op"))
    assert {"t4.rnn.tanh", "t1.x", "rnn.h0", "loss.add", "t4.rnn.matmul_1.weight_hh"} <= set(found)
    for id in found:
        assert not re.search(r"\d{6,}", id)


def test_gates_of_an_lstm_and_a_gru():
    for kind, gates in (("LSTM", "ifgo"), ("GRU", "rzn")):
        drawing = tr.draw.unrolled(layered(kind, 2), "gate")
        assert ids(drawing, "gate") != []
        assert {id for id in ids(drawing, "gate") if id.startswith("t1.")} == {f"t1.l0.{g}" for g in gates}


def test_the_cell_state_has_a_straight_lane_of_its_own():
    drawing = tr.draw.unrolled(layered("LSTM", 4), "gate")
    heights = {}
    for id, style in nodes(drawing).items():
        name = id.rpartition(".")[2]
        if re.fullmatch(r"(t\d+\.)?l0\.(c|h|c0|h0)", id):
            heights.setdefault(name[0], set()).add(re.search(r'pos="[^,]*,([^"]*)"', style).group(1))
    assert {name: len(found) for name, found in heights.items()} == {"c": 1, "h": 1}
    assert heights["c"] != heights["h"]


def test_backward_direction_runs_from_right_to_left():
    drawing = tr.draw.unrolled(layered("RNN", 3, bidirectional=True))
    for tail, head, style in edges(drawing, "forward carry"):
        if "_reverse.cell" in tail and "_reverse.cell" in head:
            (end, _), (start, _) = (
                re.search(r'pos="e,([\d.-]+),([\d.-]+) ([\d.-]+),', style).group(1, 2),
                (re.search(r'pos="e,\S+ ([\d.-]+),([\d.-]+)', style).group(1, 2)),
            )
            assert float(end) < float(start)


def test_initial_states_are_marked():
    rng = np.random.default_rng(0)
    w = leaf(rng, 3, 3, name="weight_hh")
    for start, word in (
        (tr.zeros((1, 3), dtype="float64"), "zero"),
        (tr.ones((1, 3), dtype="float64"), "given"),
        (leaf(rng, 1, 3, name="h0"), "learned"),
    ):
        h = start
        with tr.unrolled():
            for t in range(3):
                with tr.scope("rnn", step=t):
                    h = tr.tanh(h @ w)
        (label,) = [style for id, style in nodes(tr.draw.unrolled(h)).items() if id == "rnn.h0"]
        assert f">{word}<" in label


def test_expand_opens_single_steps():
    found = nodes(tr.draw.unrolled(looped_rnn(30, every=False), expand=[10]))
    assert "t10.rnn.tanh" in found
    assert "t1.rnn.cell" in found
    assert {"t4..t9", "t11..t27"} <= set(found)


def test_too_many_boxes_are_drawn_at_a_coarser_level_with_a_note():
    drawing = tr.draw.unrolled(looped_rnn(12), "op", max_nodes=120)
    assert "t3.rnn.h" in nodes(drawing)
    assert "more than max_nodes = 120 boxes" in nodes(drawing)["note0"]


def test_steps_with_something_to_see_are_not_folded():
    shown = re.findall(
        r'"cluster_t(\d+)"', tr.draw.unrolled(looped_rnn(200, every=False, cuts=(100,))).source
    )
    assert list(map(int, shown)) == [1, 2, 3, 100, 101, 198, 199, 200]


def test_plain_graphs_draw_too():
    x = tr.tensor(np.ones((2, 3)), requires_grad=True)
    x.name = "x"
    with tr.unrolled():
        y = (tr.tanh(x) * 2).sum()
    y.backward()
    for drawing in (tr.draw.graph(y), tr.draw.unrolled(y)):
        assert set(nodes(drawing)) == {"x", "tanh", "multiply", "sum"}
        assert '"multiply" -> "sum"' in drawing.source
    assert "2 older operations are not drawn" in tr.draw.graph(y, max_nodes=2).source


def test_an_unnamed_loop_and_a_scalar_network():
    w, u = (tr.tensor(v, requires_grad=True, dtype="float64") for v in (0.5, 2.0))
    with tr.unrolled():
        h = tr.tensor(0.0, dtype="float64")
        for t, x in enumerate((1.0, -1.0, 0.5)):
            with tr.scope(step=t):
                h = tr.tanh(w * h + u * x)
    found = nodes(tr.draw.unrolled(h))
    assert {"t1.x", "t2.x", "t3.x", "t1.cell.cell", "t3.cell.cell", "cell.h0"} <= set(found)


# --- values and gradients -----------------------------------------------------------------------------------


def test_gradient_of_each_carry_is_printed():
    loss = looped_rnn(4)
    drawing = tr.draw.unrolled(loss)
    carried = {r.step: r for r in unroll(loss).records if r.carry and r.role == "op"}
    back = {(a, b): style for a, b, style in edges(drawing, "backward")}
    for t in range(3):
        size = f"{np.linalg.norm(carried[t].grad):.3g}"
        assert f'label="{size}"' in back[f"t{t + 2}.rnn.cell", f"t{t + 1}.rnn.cell"]


def test_truncation_cut_lets_the_value_pass_and_not_the_gradient():
    drawing = tr.draw.unrolled(looped_rnn(4, cuts=(2,)))
    pair = ("t2.rnn.cell", "t3.rnn.cell")
    assert pair in [(a, b) for a, b, _ in edges(drawing, "forward carry")]
    (style,) = [style for a, b, style in edges(drawing, "backward") if (b, a) == pair]
    assert 'arrowhead="tee"' in style
    assert 'label="cut"' in style
    others = [
        style for a, b, style in edges(drawing, "backward") if a.endswith("cell") and b.endswith("cell")
    ]
    assert sum('arrowhead="tee"' in style for style in others) == 1


def looks(loss):
    """The style of the first backward arrow between cells, without place and number."""
    for a, b, style in edges(tr.draw.unrolled(loss), "backward"):
        if a.endswith("cell") and b.endswith("cell"):
            return dict(re.findall(r'(style|arrowhead|penwidth)="([^"]*)"', style))
    raise AssertionError("no backward arrow between cells")


def test_zero_and_non_finite_look_different_from_small():
    small = looks(looped_rnn(4, every=False))
    zero = looks(looped_rnn(4, every=False, scale=0.0))
    broken = looks(looped_rnn(4, poison=3))
    assert (small["style"], small["arrowhead"]) == ("dashed", "normal")
    assert (zero["style"], zero["arrowhead"]) == ("dotted", "odot")
    assert (broken["style"], broken["arrowhead"]) == ("bold", "diamond")


def test_a_gradient_is_clipped_where_clipping_says_so():
    rnn = tr.nn.RNN(2, 3, rng=np.random.default_rng(0), dtype="float64")
    x = tr.tensor(np.ones((3, 1, 2)))
    with tr.unrolled():
        loss = (rnn(x)[0] ** 2).sum()
        loss.backward()
    weight = rnn.weight_hh_l0
    weight.grad = tr.tensor(weight.grad.data * 0.5)  # smaller, and not clipped
    assert "Clipped" not in tr.draw.unrolled(loss).source
    before = np.linalg.norm(weight.grad.data)
    tr.optim.clip_grad_norm_([weight], before / 4)
    drawing = tr.draw.unrolled(loss)
    note = next(style for id, style in nodes(drawing).items() if id.startswith("note"))
    assert f"W_hh‖ was {before:.3g}, is {before / 4:.3g}." in note
    framed = {id: "filled,bold" in style for id, style in nodes(drawing).items() if 'class="weight"' in style}
    assert all(bold == ("weight_hh" in id) for id, bold in framed.items() if "∂ 0" not in nodes(drawing)[id])
    rnn.zero_grad()
    assert "Clipped" not in tr.draw.unrolled(loss).source


def test_width_grows_with_the_logarithm_of_the_gradient():
    drawing = tr.draw.unrolled(looped_rnn(10, every=False, scale=0.3))
    found = [
        (
            float(re.search(r'label="([^"]*)"', s).group(1)),
            float(re.search(r'penwidth="([^"]*)"', s).group(1)),
        )
        for a, b, s in edges(drawing, "backward")
        if a.endswith("cell") and b.endswith("cell")
    ]
    assert [w for _, w in sorted(found)] == sorted(w for _, w in found)
    assert min(found)[1] < max(found)[1]


def test_a_folded_box_says_the_range_of_the_gradients_inside():
    loss = looped_rnn(40, every=False)
    norms = {r.step: np.linalg.norm(r.grad) for r in unroll(loss).records if r.carry and r.role == "op"}
    inside = [norms[t] for t in range(3, 37)]
    label = nodes(tr.draw.unrolled(loss))["t4..t37"]
    low, high = re.search(r"‖∂L/∂state‖ ([^ <]+) … ([^ <]+)<", label).groups()
    assert float(low) == pytest.approx(min(inside), rel=0.06)
    assert float(high) == pytest.approx(max(inside), rel=0.06)
    assert "34 steps folded" in label


def test_tray_shows_each_weight_once_with_its_uses():
    loss = looped_rnn(5)
    drawing = tr.draw.unrolled(loss, weights="tray")
    assert sorted(ids(drawing, "weight")) == ["weight.weight_hh", "weight.weight_hy", "weight.weight_ih"]
    weight = next(r for r in unroll(loss).records if r.name == "weight_hh")
    label = nodes(drawing)["weight.weight_hh"]
    assert "× 5 uses" in label
    assert f"{np.linalg.norm(weight.grad):.3g}" in label


def test_small_arrays_in_full_on_request():
    x = tr.tensor([[1.5, -2.25], [3.0, 4.0]], requires_grad=True)
    with tr.unrolled():
        y = x + 1
    assert "2.5  -1.25" in tr.draw.graph(y, values="full").source
    assert "2.5  -1.25" not in tr.draw.graph(y).source
    assert "norm " not in tr.draw.graph(y, values="none").source


@pytest.mark.parametrize("level", LEVELS)
def test_without_kept_values_the_structure_is_drawn_and_a_note_says_why(level):
    drawing = tr.draw.unrolled(looped_rnn(4, keep=False), level)
    assert "Values were not kept" in nodes(drawing)["note0"]
    assert "norm " not in drawing.source
    assert edges(drawing, "backward") == []
    assert "(1, 3) f64" in drawing.source
    kept = nodes(tr.draw.unrolled(looped_rnn(4), level))
    if level == "cell":
        assert {n for n in kept if "legend" not in n} == set(nodes(drawing)) - {"note0", "note1"}


def test_before_backward_a_note_says_that_there_are_no_gradients():
    drawing = tr.draw.unrolled(looped_rnn(3, backward=False))
    assert "No gradients yet" in nodes(drawing)["note0"]
    assert "norm " in drawing.source
    assert edges(drawing, "backward") == []


def test_padded_steps_are_faded():
    loss = layered("RNN", 4, lengths=np.array([2, 3]), batch=2)
    found = nodes(tr.draw.unrolled(loss))
    assert "1 of 2 rows run" in found["t3.l0.cell"]
    assert "0 of 2 rows run" in found["t4.l0.cell"]
    assert "dotted" in found["t4.l0.cell"]
    assert "dotted" not in found["t3.l0.cell"]


def test_windows_are_shaded_with_what_is_replayed():
    loss = looped_rnn(10, cuts=(5,))
    by_k = tr.draw.unrolled(loss, windows=tr.TruncatedBPTT(k1=5, k2=8))
    by_triples = tr.draw.unrolled(loss, windows=[(0, 0, 5), (2, 5, 10)])
    assert by_k.source == by_triples.source
    assert ids(by_k, "window") == ["window0.loss", "window1.replay", "window1.loss"]
    assert "replay 3 … 5" in nodes(by_k)["window1.replay"]


# --- what may come from a model -----------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "name", ['</table>"<b>&', 'a"]; evil [label="x', "back\\slash", "new\nline\x00", "ｈ ∂ 日本", "", "a b"]
)
def test_names_are_escaped(level, name):
    loss = looped_rnn(3, name=name)
    next(r for r in unroll(loss).records if r.name == "weight_hh").node.name = name
    drawing = tr.draw.unrolled(loss, level)
    markup = re.findall(r"label=<(<.*?>)>(?=[,\]])", drawing.source)
    allowed = re.compile(r"</?(b|br|font|table|tr|td)( [a-z-]+=\"[^\"<>&]*\")*/?>")
    assert not any(set("<>") & set(allowed.sub("", text)) for text in markup)
    plain = re.sub(r"label=<<.*?>>(?=[,\]])", "", drawing.source)
    assert not set("<>&") & set(re.sub(r'"(?:[^"\\]|\\.)*"', "", plain).replace("->", ""))
    assert "evil [" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", plain)
    assert "\x00" not in drawing.source
    if "graphviz-pure" in available_engines():
        drawing.engine = "graphviz-pure"
        assert drawing.pipe("svg").startswith(b"<?xml")


def test_pictures_do_not_depend_on_the_order_of_hashes(tmp_path):
    import subprocess

    script = tmp_path / "draw.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from draw_models import layered\nimport tinyrnn as tr\n"
        "sys.stdout.reconfigure(encoding='utf-8')\n"
        "print(tr.draw.unrolled(layered('GRU', 3, layers=2, bidirectional=True), 'gate').source)\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_a_graph_of_thousands_of_steps_needs_no_recursion():
    steps = 3000
    drawing = tr.draw.unrolled(looped_rnn(steps, every=False))
    assert f"{steps - 6} steps folded" in drawing.source
    assert sys.getrecursionlimit() < steps


@pytest.mark.parametrize("level", LEVELS)
def test_pictures_are_laid_out(level):
    if "graphviz-pure" not in available_engines():
        pytest.skip("graphviz-pure is not installed")
    drawing = tr.draw.unrolled(
        layered("LSTM", 14, layers=2, bidirectional=True), level, engine="graphviz-pure"
    )
    svg = drawing.pipe("svg").decode()
    for id in nodes(drawing):
        assert f'id="{id}"' in svg


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"level": "gates"},
            "unrolled: level is 'gates'; expected 'op', 'gate', 'cell', 'layer' or 'rolled'",
        ),
        ({"weights": "none"}, "unrolled: weights is 'none'; expected 'alias' or 'tray'"),
        ({"values": "all"}, "unrolled: values is 'all'; expected 'summary', 'full' or 'none'"),
        ({"theme": "blue"}, "unrolled: theme is 'blue'; expected 'light' or 'dark'"),
        ({"max_nodes": 0}, "unrolled: max_nodes is 0; expected an int, at least 1"),
        ({"expand": [7]}, "unrolled: expand has step 7; the graph has steps 1 to 3"),
        ({"expand": [1], "level": "rolled"}, "unrolled: expand opens single steps"),
        ({"windows": [(3, 2, 5)]}, "unrolled: a window is (3, 2, 5); expected replay_start <= start < stop"),
    ],
)
def test_options_are_checked(options, message):
    loss = looped_rnn(3)
    with pytest.raises(ValueError, match=re.escape(message)):
        tr.draw.unrolled(loss, **options)


def test_what_was_not_recorded_is_refused():
    with pytest.raises(ValueError, match="unrolled: nothing was recorded"):
        tr.draw.unrolled(tr.zeros(3))
    with pytest.raises(TypeError, match="unrolled: outputs is 3"):
        tr.draw.unrolled(3)


def test_a_first_state_that_is_computed_is_drawn() -> None:
    """It stands at the left of the state that it becomes, on one line, and on that state's heavy arrow."""
    seen, gru, x = tr.nn.Linear(3, 2, rng=0), tr.nn.GRU(1, 2, rng=0), np.ones((2, 1, 1))
    with tr.unrolled():
        y, _ = gru(x, tr.tanh(seen(np.ones((1, 3))))[None])
        loss = (y * y).sum()
    loss.backward()
    drawing = tr.draw.unrolled(loss)
    assert {("Linear", "tanh"), ("tanh", "t1.l0.cell")} <= {(a, b) for a, b, _ in edges(drawing)}
    boxes = [nodes(drawing)[id] for id in ("Linear", "tanh", "t1.l0.cell")]
    places = [re.search(r'pos="([^,]*),([^"]*)"', box) for box in boxes]
    x, y = zip(*((float(place.group(1)), float(place.group(2))) for place in places))
    assert list(x) == sorted(x)
    assert len(set(y)) == 1
    assert ("tanh", "t1.l0.cell") in {(a, b) for a, b, _ in edges(drawing, "forward carry")}


def test_show_chooses_what_is_written():
    def written(*show):
        return tr.draw.unrolled(looped_rnn(3), "gate", show=show).source

    assert "(1, 3) f64" in written("shapes", "dtypes")
    assert "(1, 3)" in written("shapes")
    assert "f64" not in written("shapes")
    assert "f64" in written("dtypes")
    assert "(1, 3)" not in written("dtypes")
    assert "norm " in written("values")
    assert "grad " not in written("values")
    assert "grad " in written("gradients")
    assert "backward" in written("gradients")
    assert "W_hh" in written("weights")
    bare = written()
    assert not any(word in bare for word in ("W_hh", "backward", "norm ", "grad ", "f64", "legend"))
    with pytest.raises(ValueError, match=r"show.*'colours'"):
        written("colours")


def test_a_width_wraps_steps_into_rows_or_draws_a_coarser_level():
    loss = layered("LSTM", 6)
    wide = tr.draw.unrolled(loss, width=60)
    narrow = tr.draw.unrolled(loss, width=16)
    assert 'size="6.299,1000!"' in narrow.source
    assert "from row 2" in narrow.source
    assert "from row" not in wide.source
    coarser = tr.draw.unrolled(loss, "op", width=16).source
    assert "Drawn at level cell: a step at level op is wider than 16 cm." in coarser
    with pytest.raises(ValueError, match="width is 2 cm"):
        tr.draw.unrolled(loss, width=2)


def test_dots_per_inch_are_those_of_the_png():
    drawing = tr.draw.unrolled(looped_rnn(2), width=10, dpi=300, engine="graphviz-pure")
    wide = int.from_bytes(drawing.pipe("png")[16:20], "big")
    assert abs(wide - 10 / 2.54 * 300) < 3
