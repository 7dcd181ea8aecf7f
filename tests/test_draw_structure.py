"""What stands where: the rows, columns, arrows and names of each model of the table, and rules for any model.

The rules are checked on the view, before anything is laid out.
"""

import contextlib
import re
from collections import Counter

import numpy as np
import pytest
from draw_models import looped_rnn
from draw_more import MODELS, data, done, layer, linear
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn.draw.choices import LEVELS
from tinyrnn.draw.reading.unroll import unroll
from tinyrnn.draw.viewing.fold import Column, columns_of
from tinyrnn.draw.viewing.levels import view_of
from tinyrnn.draw.viewing.weights import contribution

# For each model: its groups with their number of columns, and the units from below, with
# (row, name, kind, carries, over how many columns of one step each; 0 for what stands over all).
EXPECTED = {
    "tagger": ({"": 4}, "x/0 embedding:Embedding/0 recurrent.l0:GRUCell[h]/4 head:Linear/0 loss/0"),
    "tagger_lstm": ({"": 4}, "x/0 embedding:Embedding/0 recurrent.l0:LSTMCell[h,c]/4 head:Linear/0 loss/0"),
    "loss_at_the_end": ({"": 4}, "x/4 l0:LSTMCell[h,c]/4 Linear:Linear/1 loss/1"),
    "learned_h0": ({"": 4}, "x/4 l0:GRUCell[h]/4 loss/0"),
    "two_losses": (
        {"": 4},
        "x/4 l0:GRUCell[h]/4 Linear_2:Linear/1 L_count/1 Linear:Linear/0 L_tag/0 loss/0",
    ),
    "replay": ({"": 15}, "x/15 l0:RNNCell[h]/15 Linear:Linear/0 loss/0"),
    "continued": ({"": 4}, "x/4 l0:RNNCell[h]/4 loss/0"),
    "called_three_times": (
        {"": 2, "l0": 2, "l0_3": 2},
        "x/2|x_2/2|x_3/2 l0:RNNCell[h]/2|l0_2:RNNCell[h]/2|l0_3:RNNCell[h]/2 L/1|l0.L/1|l0_3.L/1 loss/0",
    ),
    "encoder_decoder": (
        {"": 4, "decoder.l0": 3},
        "x/4|x_2/3 encoder.l0:GRUCell[h]/4|decoder.l0:GRUCell[h]/3 head:Linear/0 loss/0",
    ),
    "attention": (
        {"": 4, "loop": 3},
        "x/4 encoder.l0:GRUCell[h]/4 transpose/0|x_2/3 cell:GRUCell[h]/3 head:Linear/3 loss/0",
    ),
    "decoder_by_hand": (
        {"": 4},
        "x/4 Embedding:Embedding/4 GRUCell:GRUCell[h]/4 Linear:Linear/4 L/4 loss/0",
    ),
    "cnn_lstm": ({"": 4}, "x/0 features:Sequential/0 lstm.l0:LSTMCell[h,c]/4 head:Linear/1 loss/1"),
    "bidirectional": (
        {"": 4},
        "x/4 l0:GRUCell[h]/4 l0_reverse:GRUCell[h]/4 l1:GRUCell[h]/4 l1_reverse:GRUCell[h]/4 Linear:Linear/0 "
        "loss/0",
    ),
    "three_layers": ({"": 4}, "x/4 l0:LSTMCell[h,c]/4 l1:LSTMCell[h,c]/4 l2:LSTMCell[h,c]/4 loss/1"),
    "kinds": ({"": 4}, "x/4 l0:GRUCell[h]/4 l1:LSTMCell[h,c]/4 loss/0"),
    "custom_cell": ({"": 4}, "x/4 l0:TwoScopes[h]/4 loss/1"),
    "dict_carry": ({"": 4}, "x/4 cell[slow]/4 loss/0"),
    "loop_of_cells": ({"": 4}, "x/4 RNNCell:RNNCell[h]/4 loss/1"),
    "loop_with_scopes": ({"": 4}, "x/4 memory:LSTMCell[h,c]/4 readout:Linear/4 L/4 loss/0"),
    "loop_of_nothing": ({"": 4}, "x/4 cell[h]/4 matmul/4 L/4 loss/0"),
    "compiled": ({"": 4}, "embedding:Embedding/0 recurrent.l0:LSTMCell[h,c]/4 head:Linear/0 loss/0"),
    "image_to_word": (
        {"": 4},
        "x/0 embedding:Embedding/0 image/0|Linear:Linear/0|cell:GRUCell[h]/4 head:Linear/4 loss/0",
    ),
    "begun_by_features": (
        {"": 4},
        "x/4 Linear:Linear/0|Linear_2:Linear/0|features/0|l0:GRUCell[h]/4|relu/0|tanh/0 loss/0",
    ),
    "begun_in_part": (
        {"": 4},
        "x/4 Linear:Linear/0|Linear_2:Linear/0|features/0|l0:LSTMCell[h,c]/4|tanh/0 l1:LSTMCell[h,c]/4 "
        "loss/1",
    ),
    "begun_by_a_weight": ({"": 4}, "x_2/4 getitem/0|l0:GRUCell[h]/4|multiply/0|x/0 loss/0"),
    "begun_by_hand": ({"": 4}, "x/4 GRUCell:GRUCell[h]/4|Linear:Linear/0|features/0|tanh/0 loss/1"),
    "attention_lstm": (
        {"": 4, "loop": 3},
        "x/4 encoder.l0:LSTMCell[h,c]/4 transpose/0|x_2/3 cell:LSTMCell[h,c]/3 head:Linear/3 loss/0",
    ),
    "replay_compiled": ({"": 10}, "x/10 l0:RNNCell[h]/10 Linear:Linear/0 loss/0"),
    "replay_by_hand": ({"": 15}, "x/15 RNNCell:RNNCell[h]/15 Linear:Linear/5 L/5 loss/0"),
    "cut_by_hand": ({"": 6}, "x/6 RNNCell:RNNCell[h]/6 Linear:Linear/6 L/6 loss/0"),
    "three_both_ways": (
        {"": 4},
        "x/4 l0:LSTMCell[h,c]/4 l0_reverse:LSTMCell[h,c]/4 l1:LSTMCell[h,c]/4 l1_reverse:LSTMCell[h,c]/4 "
        "l2:LSTMCell[h,c]/4 l2_reverse:LSTMCell[h,c]/4 Linear:Linear/0 loss/0",
    ),
    "cnn_by_step": ({"": 4}, "x/4 Sequential:Sequential/4 LSTMCell:LSTMCell[h,c]/4 Linear:Linear/1 loss/1"),
    "dict_of_two": ({"": 4}, "x/4 cell[fast,slow]/4 loss/0"),
    "attention_both_ways": (
        {"": 4, "loop": 3},
        "x/4 l0:GRUCell[h]/4 l0_reverse:GRUCell[h]/4 Linear_3:Linear/1 tanh/1 "
        "Linear:Linear/3|transpose/0|x_2/3 GRUCell:GRUCell[h]/3 Linear_2:Linear/3 loss/0",
    ),
    "begun_decoder": (
        {"": 4, "loop": 3},
        "x/4 l0:GRUCell[h]/4 transpose/0|x_2/3 GRUCell:GRUCell[h]/3|Linear:Linear/0|features/0|tanh/0 "
        "loop.L/3 loss/0",
    ),
    "begun_then_cut": ({"": 6}, "x/6 Linear:Linear/0|features/0|l0:RNNCell[h]/6|tanh/0 loss/0"),
    "begun_twice": ({"": 4}, "x/4 Linear:Linear/0|features/0|l0:LSTMCell[h,c]/4|tanh/0 loss/0"),
    "feed_forward": ({}, "x/0 0:Linear/0 1:Tanh/0 2:Linear/0 loss/0"),
    "trained": ({"": 4}, "x/0 embedding:Embedding/0 recurrent.l0:GRUCell[h]/4 head:Linear/0 loss/0"),
}


def described(found):
    """The groups, and the units row by row, as in the table above."""
    steps = {name: set() for name in found.units}
    for record in found.records:
        if record.unit and record.step is not None and record.role not in ("constant", "weight"):
            steps[record.unit].add(record.step)
    rows = {}
    for unit in found.units.values():
        kind = f":{unit.kind}" if unit.kind else ""
        carries = ",".join(unit.carries.values())
        text = f"{unit.name}{kind}{f'[{carries}]' if carries else ''}/{len(steps[unit.name])}"
        rows.setdefault(unit.row, []).append(text)
    groups = {group.name: len(group.columns) for group in found.groups}
    return groups, [set(rows[row]) for row in sorted(rows)]


@pytest.mark.parametrize("name", MODELS)
def test_rows_and_columns(name):
    groups, rows = EXPECTED[name]
    assert described(unroll(MODELS[name]())) == (groups, [set(row.split("|")) for row in rows.split(" ")])


def view(loss, level="cell", *, everything=True):
    found = unroll(loss)
    columns = columns_of(found, range(10**3) if everything else ())
    return found, view_of(found, level, columns, frozenset(), "alias")


def arrows(shown, *, carry):
    return {(a.tail, a.head) for a in shown.arrows if bool(a.carry) == carry}


def test_embedding_head_and_loss_are_called_by_their_names():
    _, shown = view(MODELS["tagger"]())
    titles = {box.id: (box.kind, box.title, box.index) for box in shown.boxes.values()}
    assert titles["embedding"] == ("module", "embedding", "")
    assert titles["head"] == ("module", "head", "")
    assert titles["loss"] == ("loss", "L", "")
    assert titles["t3.recurrent.l0.cell"] == ("cell", "GRU h", "3")
    assert titles["recurrent.l0.h0"] == ("state", "h", "0")
    assert {("x", "embedding"), ("embedding", "t3.recurrent.l0.cell"), ("head", "loss")} <= arrows(
        shown, carry=False
    )
    assert arrows(shown, carry=True) == {
        ("recurrent.l0.h0", "t1.recurrent.l0.cell"),
        *((f"t{t}.recurrent.l0.cell", f"t{t + 1}.recurrent.l0.cell") for t in (1, 2, 3)),
    }


@pytest.mark.parametrize("level", ["gate", "cell", "layer", "rolled"])
def test_without_time_the_modules_are_drawn(level):
    drawing = tr.draw.unrolled(MODELS["feed_forward"](), level)
    for title in ("Linear", "Tanh", "L"):
        assert f"<B>{title}</B>" in drawing.source or f">{title}<" in drawing.source
    assert "No steps were found" not in drawing.source


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["begun_by_features", "begun_in_part", "begun_by_a_weight", "image_to_word"])
def test_what_leads_to_an_initial_state_stands_before_the_first_step(name, level):
    _, shown = view(MODELS[name](), level)
    before = {box.id for box in shown.boxes.values() if box.column == "before"}
    first, *steps = shown.order
    assert first == "before"
    assert "before" not in steps
    begun = [arrow for arrow in shown.arrows if arrow.tail in before and arrow.head not in before]
    assert begun
    assert all(arrow.carry and arrow.begins and arrow.gradient is not None for arrow in begun)
    assert not [arrow for arrow in shown.arrows if arrow.head in before and arrow.tail not in before]
    cells = {shown.boxes[arrow.head].band for arrow in begun}
    assert {shown.boxes[id].band for id in before} == cells
    assert len(cells) == 1


def test_one_array_is_the_initial_state_of_each_that_begins_from_it():
    for name, states in ("begun_in_part", {"l1.h0", "l1.c0"}), ("dict_of_two", {"cell.fast0", "cell.slow0"}):
        _, shown = view(MODELS[name]())
        assert {box.id for box in shown.boxes.values() if box.kind == "state"} == states


def test_an_initial_state_is_numbered_as_the_step_before_the_first():
    _, shown = view(MODELS["replay_compiled"]())
    states = {(box.id, box.title, box.index) for box in shown.boxes.values() if box.kind == "state"}
    assert states == {("l0.h5", "h", "5")}
    assert ("l0.h5", "t6.l0.cell") in arrows(shown, carry=True)


def test_a_scope_at_the_last_step_alone_stands_in_its_column():
    found = unroll(looped_rnn(6, every=False))
    assert [(group.name, group.columns) for group in found.groups] == [("", [0, 1, 2, 3, 4, 5])]
    assert {record.step for record in found.records if record.unit == "readout"} == {5}


def test_states_that_climb_say_their_number_in_their_box():
    loss = MODELS["attention_lstm"]()
    states = [r for r in unroll(loss).records if r.unit == "encoder.l0" and r.step == 3 and r.carry]
    for level in "cell", "layer", "rolled":
        text = tr.draw.unrolled(loss, level).source
        (box,) = (line for line in text.splitlines() if re.match(r'\s*"(t4\.)?encoder\.l0\.cell" \[id', line))
        for state in states:
            said = (
                f"grad {state.size:.3g}"
                if level == "cell"
                else f"grad of {state.carry}, t = 4: {state.size:.3g}"
            )
            assert said in box
        back = [line for line in text.splitlines() if re.search(r'"cell\.cell" -> "(t4\.)?encoder', line)]
        assert not any("label=" in line for line in back)


def test_weights_of_one_name_are_counted_and_a_tray_leaves_none_unsaid():
    loss = MODELS["dict_of_two"]()
    _, shown = view(loss)
    assert {badge.text for badge in shown.boxes["t2.cell.cell"].badges} == {"W_1", "b_1", "W_2", "b_2"}
    text = tr.draw.unrolled(loss, "op", weights="tray").source
    for title in ("matmul W_1", "+ b_1", "matmul W_2", "+ b_2"):
        assert text.count(f"<b>{title}</b>") == 4


@pytest.mark.parametrize("level", ["layer", "rolled"])
def test_over_all_steps_attention_is_one_arrow_with_its_gradient(level):
    _, shown = view(MODELS["attention"](), level)
    (found,) = (
        a for a in shown.arrows if (a.tail, a.head) == ("encoder.l0.cell", "cell.cell") and not a.carry
    )
    assert found.share is None
    assert found.gradient is not None


def test_what_attention_gives_to_folded_states_is_summed():
    _, shown = view(MODELS["attention"]())
    whole = {(a.tail, a.head): a.share for a in shown.arrows if a.share is not None}
    found = unroll(MODELS["attention"]())
    columns = [Column(0, 0), Column(1, 2, folded=True), Column(3, 3), *columns_of(found)[4:]]
    folded = view_of(found, "cell", columns, frozenset(), "alias")
    (share,) = (a.share for a in folded.arrows if (a.tail, a.head) == ("t2..t3", "t1.cell.cell"))
    assert share == pytest.approx(sum(whole[f"t{i}.encoder.l0.cell", "t1.cell.cell"] for i in (2, 3)))


def test_attention_is_a_fan_without_gradients_and_the_margin_says_so():
    text = tr.draw.unrolled(MODELS["attention"]()).source
    fan = re.findall(r'"(t\d)\.encoder\.l0\.cell" -> "(t\d)\.cell\.cell" \[.*class="forward attention"', text)
    assert sorted(fan) == [(f"t{s}", f"t{t}") for s in (1, 2, 3, 4) for t in (1, 2, 3)]
    back = re.findall(r'"(t\d)\.cell\.cell" -> "(t\d)\.encoder\.l0\.cell"', text)
    assert back == [("t1", "t4")]  # the gradient of the state that the decoder begins from
    assert "its gradient is in that of the states" in text
    assert "attention: as wide" not in tr.draw.unrolled(MODELS["encoder_decoder"]()).source


def test_inputs_of_different_modules_are_different_boxes():
    _, shown = view(MODELS["image_to_word"]())
    titles = {box.id: box.title for box in shown.boxes.values() if box.kind == "input"}
    assert sorted(titles.values()) == ["image", "x"]
    plain = arrows(shown, carry=False)
    assert {(titles.get(a), b) for a, b in plain if a in titles} == {("image", "Linear"), ("x", "embedding")}
    assert {head for tail, head in arrows(shown, carry=True) if tail == "Linear"} <= {"t1.cell.cell"}


def test_what_the_first_step_makes_of_constants_alone_is_drawn():
    found, shown = view(MODELS["custom_cell"](), "op")
    ops = [[r.op for r in found.records if r.step == t and r.role == "op"] for t in range(2)]
    assert ops[0] == ops[1]
    assert "concatenate" in ops[0]
    assert [box.id for box in shown.boxes.values() if box.kind == "state"] == ["l0.h0"]
    assert [arrow.gradient for arrow in shown.arrows if arrow.tail == "l0.h0"] == [None, None]


@pytest.mark.parametrize("scanned", [True, False])
def test_an_initial_state_that_is_reshaped_first_is_no_input(scanned):
    w = tr.tensor(np.eye(3), requires_grad=True)
    x = data(3, 2, 3)

    def step(h, x):
        h = tr.tanh(h.T.T @ w + x)
        return h, h

    with tr.unrolled():
        h = tr.zeros((2, 3), dtype="float64")
        if scanned:
            h, _ = tr.scan(step, h, x)
        else:
            for t in range(3):
                with tr.scope("cell", step=t):
                    h, _ = step(h, x[t])
        loss = done((h**2).sum())
    _, shown = view(loss)
    kinds = Counter((box.kind, box.title) for box in shown.boxes.values() if box.kind in ("input", "state"))
    assert kinds == {("input", "x"): 3, ("state", "h"): 1}


def test_an_input_keeps_its_name_at_each_step():
    wave = tr.tensor(np.ones((3, 1, 2)), dtype="float64")
    wave.name = "wave"
    with tr.unrolled():
        loss = done((layer("RNN", 2, 3)(wave)[0] ** 2).sum())
    _, shown = view(loss)
    assert [(b.title, b.index) for b in shown.boxes.values() if b.kind == "input"] == [
        ("wave", "1"), ("wave", "2"), ("wave", "3"),
    ]  # fmt: skip


def test_the_states_of_a_tuple_are_told_apart():
    w = tr.tensor(np.eye(2), requires_grad=True)

    def step(carry, x):
        fast, slow = carry
        fast = tr.tanh(fast @ w + x)
        slow = 0.9 * slow + fast
        return (fast, slow), slow

    zero = tr.zeros((1, 2), dtype="float64")
    for recorded in (True, False):
        with tr.unrolled() if recorded else contextlib.nullcontext():
            loss = tr.scan(step, (zero, zero), data(3, 1, 2))[1].sum()
        loss.backward(retain_graph=True)
        found, _ = view(loss)
        assert {r.carry for r in found.records if r.carry} == {"h1", "h2"}


def test_labels_are_no_input_of_ctc():
    with tr.unrolled():
        scores = linear(2, 4)(layer("GRU", 2, 2)(data(5, 1, 2))[0])
        loss = done(tr.nn.ctc_loss(tr.log_softmax(scores, axis=-1), np.array([[1, 2]]), [5], [2]))
    found, _ = view(loss)
    assert all(r.dtype.kind == "f" for r in found.records if r.role == "input")


def test_a_decoder_begins_from_the_last_state_of_the_encoder():
    _, shown = view(MODELS["encoder_decoder"]())
    assert ("t4.encoder.l0.cell", "t1.decoder.l0.cell") in arrows(shown, carry=True)
    crossing = {(a, b) for a, b in arrows(shown, carry=False) if "encoder" in a and "decoder" in b}
    assert crossing == set()


def test_attention_is_a_fan_with_the_weights_of_its_softmax():
    found, shown = view(MODELS["attention"]())
    fans = {(a.tail, a.head): a.share for a in shown.arrows if a.share is not None}
    assert set(fans) == {
        (f"t{i}.encoder.l0.cell", f"t{t}.cell.cell") for i in (1, 2, 3, 4) for t in (1, 2, 3)
    }
    for t in (1, 2, 3):
        softmax = next(r for r in found.records if r.op == "softmax" and r.step == t - 1)
        shares = [fans[f"t{i}.encoder.l0.cell", f"t{t}.cell.cell"] for i in (1, 2, 3, 4)]
        assert shares == pytest.approx(softmax.value.ravel().tolist())


def test_a_second_call_goes_on_behind_the_cut():
    found, shown = view(MODELS["continued"]())
    cut = {(a.tail, a.head): a.cut for a in shown.arrows if a.carry}
    assert cut[("t2.l0.cell", "t3.l0.cell")]
    assert sum(cut.values()) == 1
    assert all(unit.name != "l0_2" for unit in found.units.values())


def test_gradients_of_earlier_windows_are_not_drawn():
    found, shown = view(MODELS["replay"]())
    cut = next(a for a in shown.arrows if a.cut)
    assert (cut.tail, cut.head) == ("t5.l0.cell", "t6.l0.cell")
    behind = [r for r in found.records if r.step is not None and r.step < 5]
    assert behind
    assert all(r.grad is None for r in behind)
    assert any(r.node.grad is not None for r in behind)  # an earlier pass has left its own
    earlier = [a for a in shown.arrows if re.match(r"t[1-5]\.", a.tail)]
    assert earlier
    assert all(a.gradient is None for a in earlier)


def test_the_border_of_a_replay_is_never_folded():
    shown = [c for c in columns_of(unroll(MODELS["replay"]())) if not c.folded]
    assert {4, 5, 9, 10} <= {c.first for c in shown}


def test_a_learned_state_stands_at_the_left_with_its_gradient():
    found, _ = view(MODELS["learned_h0"]())
    (state,) = [r for r in found.records if r.role == "state"]
    assert state.step is None
    assert state.size > 0
    text = tr.draw.unrolled(MODELS["learned_h0"]()).source
    label = next(line for line in text.splitlines() if line.strip().startswith('"l0.h0" ['))
    assert ">learned<" in label
    assert "grad " in label


def test_a_compiled_model_after_backward_shows_what_is_still_known():
    loss = MODELS["compiled"]()
    text = tr.draw.unrolled(loss).source
    for state in ("c0", "h0"):
        assert f'"recurrent.l0.{state}"' in text
    assert f"{loss.item():.3g}" in next(line for line in text.splitlines() if '"loss" [' in line)
    for name in ("embedding.weight", "recurrent.weight_hh_l0", "head.bias"):
        assert f"{name} " in text


def test_nothing_is_clipped_but_by_clipping():
    assert "Clipped" not in tr.draw.unrolled(MODELS["trained"]()).source


def test_two_runs_of_one_loop_do_not_share_a_step():
    found = unroll(MODELS["called_three_times"]())
    cells = Counter((r.group, r.step, r.unit) for r in found.records if r.op == "tanh")
    assert set(cells.values()) == {1}


def test_without_steps_a_note_says_what_would_help():
    x = tr.tensor([1.0, 2.0], requires_grad=True)
    assert "tr.scope(step=t)" in tr.draw.unrolled(tr.tanh(x * 2).sum()).source


# --- rules for any model ------------------------------------------------------------------------------------


def check_rules(loss):
    found = unroll(loss)
    # The rows respect the flow of data, but for what crosses to another step, and initial states.
    for record in found.records:
        if not record.unit or record.role in ("weight", "constant", "state", "input"):
            continue
        for source, slot in record.edges():
            crosses = source.group == record.group and None not in (source.step, record.step)
            crosses = crosses and source.step != record.step
            inner = source.unit in ("", record.unit) or source.role in ("weight", "constant", "state")
            inner = inner or found.units[record.unit].begins
            if not (inner or crosses or (record, slot) in found.firsts):
                assert found.units[source.unit].row < found.units[record.unit].row
    for level in LEVELS:
        columns = columns_of(found, range(100))
        shown = view_of(found, level, columns, frozenset(), "alias")
        for arrow in shown.arrows:
            assert {arrow.tail, arrow.head} <= set(shown.boxes)
            if arrow.gradient is not None:  # each gradient printed is one on the tape
                assert any(arrow.gradient.norm == r.size for r in found.records if r.size is not None)
        if level in ("op", "gate", "cell"):  # every parameter that is used is drawn
            drawn = {badge.weight.node for box in shown.boxes.values() for badge in box.badges}
            drawn |= {r.node for box in shown.boxes.values() if box.kind == "state" for r in box.members}
            drawn |= {s.node for r in found.records if r.role == "state" for s in r.sources}
            used = {r.node for r in found.records if r.role == "weight" and not r.op}
            assert used <= drawn
        if level == "cell":  # each cell once in each of its steps, with one arrow from step to step
            for box in shown.boxes.values():
                assert len({(r.group, r.step) for r in box.members}) == 1 or not box.column


@pytest.mark.parametrize("name", MODELS)
def test_rules_hold_for_the_table(name):
    check_rules(MODELS[name]())


# What they leave in the weights is of more than the graph that is drawn.
WINDOWED = ("trained", "replay", "compiled", "replay_compiled", "replay_by_hand")


@pytest.mark.parametrize("name", [name for name in MODELS if name not in WINDOWED])
def test_what_the_uses_of_a_weight_add_is_its_gradient(name):
    """Not where it was clipped, has more of an earlier pass, or the values are freed."""
    found = unroll(MODELS[name]())
    shown = view_of(found, "cell", columns_of(found, range(100)), frozenset(), "alias")
    badges = [badge for box in shown.boxes.values() for badge in box.badges]
    assert badges
    for weight in {badge.weight for badge in badges}:
        parts = [contribution(badge.uses, weight) for badge in badges if badge.weight is weight]
        assert np.allclose(sum(parts), weight.grad, rtol=1e-10)


def test_a_sum_of_biases_says_what_each_step_adds():
    lstm = tr.nn.LSTM(2, 3, rng=0)
    with tr.unrolled():
        loss = (lstm(np.ones((3, 2, 2)))[0] ** 2).sum()
    loss.backward()
    drawn = tr.draw.unrolled(loss, weights="tray").source
    assert drawn.count("by step:") == 4


@given(
    kinds=st.lists(st.sampled_from(["RNNCell", "LSTMCell", "GRUCell"]), min_size=1, max_size=3),
    steps=st.integers(1, 5),
    embedded=st.booleans(),
    head=st.sampled_from(["none", "all", "last", "loop"]),
    by_hand=st.booleans(),
    twice=st.booleans(),
    compiled=st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_rules_hold_for_random_models(kinds, steps, embedded, head, by_hand, twice, compiled):
    rng = np.random.default_rng(0)
    cells = [getattr(tr.nn, kind)(3, 3, rng=rng, dtype="float64") for kind in kinds]
    embedding = tr.nn.Embedding(5, 3, rng=rng, dtype="float64")
    readout = tr.nn.Linear(3, 2, rng=rng, dtype="float64")
    tokens = rng.integers(0, 5, size=(steps, 2))
    inputs = tr.tensor(rng.normal(size=(steps, 2, 3)))

    def compute():
        xs = embedding(tokens) if embedded else inputs
        if by_hand:
            states, outputs = [cell.initial_state(2) for cell in cells], []
            for t in range(steps):
                x = xs[t]
                for i, cell in enumerate(cells):
                    states[i] = cell(x, states[i])
                    x = states[i].h if hasattr(states[i], "h") else states[i]
                outputs.append(x)
            y = tr.stack(outputs)
        else:
            model = tr.nn.Recurrent(cells)
            if twice and steps > 1:
                first, state = model(xs[:1])
                rest, _ = model(xs[1:], state)
                y = tr.concatenate([first, rest], axis=0)
            else:
                y, _ = model(xs)
        if head == "all":
            y = readout(y)
        elif head == "last":
            y = readout(y[steps - 1])
        elif head == "loop":
            return sum(((readout(y[t]) ** 2).mean() for t in range(steps)), 0.0)
        return (y**2).mean()

    if compiled:
        loss = compute()
        loss.backward()
    else:
        with tr.unrolled():
            loss = compute()
            loss.backward()
    check_rules(loss)
    found = unroll(loss)
    if steps > 1:
        assert [len(group.columns) for group in found.groups] == [steps]
        assert len([u for u in found.units.values() if u.carries]) == len(cells)


def test_a_state_that_another_recurrence_reads_one_step_later_is_drawn_at_every_level() -> None:
    w, v = (tr.randn(3, 3, requires_grad=True) for _ in range(2))

    def step(carry, x):
        h, m = carry["h"], carry["m"]
        new = tr.tanh(h @ w + x)
        late, now = tr.sigmoid(h @ v), tr.sigmoid(new @ v)
        late.name, now.name = "late", "now"
        return {"h": new, "m": now * m + late}, None

    with tr.unrolled():
        last, _ = tr.scan(step, {"h": tr.zeros(3), "m": tr.zeros(3)}, tr.ones((2, 3)))
        loss = (last["m"] ** 2).sum()
    loss.backward()
    for level in LEVELS:
        tr.draw.unrolled(loss, level)
    assert '"t1.cell.h" -> "t2.cell_2.late"' in tr.draw.unrolled(loss, "gate").source


def test_a_sum_of_two_sequences_keeps_both_of_them() -> None:
    layers = [tr.nn.GRU(3, 3, rng=i) for i in range(3)]
    for last in (False, True):
        with tr.unrolled():
            x = tr.ones((4, 1, 3))
            for layer in layers:
                x = x + layer(x)[0]
            loss = ((x[-1] if last else x) ** 2).mean()
        loss.backward()
        assert list(unroll(loss).units) == ["l0", "l0_2", "l0_3", "loss", "x"]
        source = tr.draw.unrolled(loss).source
        for tail in ("l0", "l0_2"):
            assert f'"t2.{tail}.cell" -> "t2.l0_3.cell"' in source


def test_two_calls_of_a_layer_have_inputs_of_their_own() -> None:
    rnn, first, second = tr.nn.RNN(2, 3), tr.randn(3, 1, 2), tr.randn(3, 1, 2)
    for inputs, boxes in (((first, second), 2), ((first, first), 1)):
        with tr.unrolled():
            a, b = (rnn(x)[1][0] for x in inputs)
            loss = ((a - b) ** 2).mean()
        loss.backward()
        drawn = re.findall(r'^ *"(t2\.x\w*)" \[', tr.draw.unrolled(loss).source, re.M)
        assert len(drawn) == boxes, drawn


def test_a_state_that_attends_to_all_before_it_has_its_own_input_at_each_step() -> None:
    """What a step makes of a stack that grows is a part of that step, at the second step too."""
    cell = tr.nn.GRUCell(5, 3, rng=0, dtype="float64")
    x = tr.tensor(np.random.default_rng(0).standard_normal((4, 1, 2)))
    with tr.unrolled():
        h = tr.zeros((1, 3), dtype="float64")
        past = [h]
        for t in range(4):
            states = tr.stack(past, axis=1)
            context = (tr.softmax(states @ h[:, :, None], axis=1) * states).sum(axis=1)
            h = cell(tr.concatenate([x[t], context], axis=-1), h)
            past.append(h)
        loss = (h**2).sum()
        loss.backward()
    _, shown = view(loss)
    found = {(box.title, box.index): box for box in shown.boxes.values() if box.kind in ("input", "cell")}
    assert {key for key in found if key[0] == "x"} == {("x", str(t)) for t in (1, 2, 3, 4)}
    states = {index: box for (title, index), box in found.items() if title == "GRU h"}
    assert {index: box.members[-1].shape for index, box in states.items()} == dict.fromkeys("1234", (1, 3))
