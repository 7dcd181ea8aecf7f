"""Two runs in one picture, on one scale."""

import copy
import re

import pytest
from draw_table import MODELS, data, layer, linear
from test_draw_unrolled import edges, ids, nodes

import tinyrnn as tr
from tinyrnn.draw.layout import available_engines


def run(model, head, steps=8):
    with tr.unrolled():
        loss = (head(model(data(steps, 1, 2))[0][-1]) ** 2).mean()
    loss.backward()
    return loss


@pytest.fixture
def losses():
    return run(layer("RNN", 2, 3), linear(3, 1)), run(layer("LSTM", 2, 3), linear(3, 1))


def own(drawing, prefix):
    """The names of boxes and arrows of one of the two, without what stands below."""
    names = {id.removeprefix(prefix) for id in nodes(drawing) if id.startswith(prefix)}
    return {id for id in names if not re.match(r"(legend|note\d|heading)", id)}


@pytest.mark.parametrize("level", ["op", "gate", "cell", "layer", "rolled"])
def test_both_have_the_boxes_and_arrows_that_they_have_alone(losses, level):
    both = tr.draw.compare(*losses, level)
    for i, loss in enumerate(losses):
        alone = tr.draw.unrolled(loss, level)
        assert own(both, f"{i + 1}.") == own(alone, "")
        for kind in ("forward", "forward carry", "backward", "weight"):
            pairs = [(a, b) for a, b, _ in edges(both, kind) if a.startswith(f"{i + 1}.")]
            assert pairs == [(f"{i + 1}.{a}", f"{i + 1}.{b}") for a, b, _ in edges(alone, kind)]
    for id, style in nodes(both).items():
        assert f'id="{id}"' in style


def test_the_first_stands_above_the_second_and_nothing_overlaps(losses):
    heights = {"1.": [], "2.": []}
    for id, style in nodes(tr.draw.compare(*losses, "gate")).items():
        y = float(re.search(r'pos="[^,]*,([^"]*)"', style).group(1))
        half = float(re.search(r'height="([^"]*)"', style).group(1)) * 36
        heights[id[:2]] += [y - half, y + half]
    assert min(heights["1."]) > max(heights["2."])


def test_the_same_colour_is_the_same_norm(losses):
    both = tr.draw.compare(*losses)
    found = {}
    for a, _, style in edges(both, "backward"):
        norm = re.search(r'label="([^"]*)"', style)
        if norm is not None:
            colour, width = (
                re.search(rf'{word}="([^"]*)"', style).group(1) for word in ("color", "penwidth")
            )
            found.setdefault(a[:2], []).append((float(norm.group(1)), colour, float(width)))
    widths = [(norm, width) for pairs in found.values() for norm, _, width in pairs]
    for norm, width in widths:
        for other, its in widths:
            assert norm <= other * 1.02 or width >= its - 0.01
    alone = [set(re.findall(r'color="(#\w+)", fontcolor', tr.draw.unrolled(x).source)) for x in losses]
    together = [{colour for _, colour, _ in found[prefix]} for prefix in ("1.", "2.")]
    assert together != alone  # each alone has the whole scale
    assert len([id for id in nodes(both) if id.endswith("legend")]) == 1


def test_a_model_before_and_after_training():
    model, head = layer("RNN", 2, 3), linear(3, 1)
    before = run(*copy.deepcopy((model, head)))
    parameters = [*model.parameters(), *head.parameters()]
    optimizer = tr.optim.SGD(parameters, lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        run(model, head)
        optimizer.step()
    optimizer.zero_grad()
    drawing = tr.draw.compare(before, run(model, head), names=("before", "after <training>"))
    both, losses = nodes(drawing), ids(drawing, "loss")
    assert "before" in both["1.heading"]
    assert "after &lt;training&gt;" in both["2.heading"]
    assert [id[:2] for id in losses] == ["1.", "2."]
    assert f"{before.item():.3g}" in both[losses[0]]
    assert f"{before.item():.3g}" not in both[losses[1]]


def test_names_with_quotes_and_ids_in_them_stay_whole():
    def odd():
        model = tr.nn.Sequential(linear(6, 4), linear(4, 3))
        with tr.unrolled():
            h = data(1, 6)
            h.name = 'a "b" -> [id="c'
            return model(h).sum()

    both = tr.draw.compare(odd(), odd())
    for prefix in ("1.", "2."):
        assert own(both, prefix) == own(tr.draw.unrolled(odd()), "")


def test_what_cannot_be_compared_is_said():
    w = tr.tensor(2.0, requires_grad=True)
    with pytest.raises(ValueError, match=r"^compare: 'second' has neither steps nor modules"):
        tr.draw.compare(MODELS["tagger"](), w * w)
    with pytest.raises(ValueError, match=r"^compare: names is \['a'\]; expected two of str"):
        tr.draw.compare(w, w, names=["a"])


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif("graphviz-pure" not in available_engines(), reason="graphviz-pure is not installed")
@pytest.mark.parametrize("options", [{}, {"level": "gate"}, {"weights": "tray"}, {"width": 30}], ids=str)
def test_both_can_be_read(faults, losses, options):
    for pair in (losses, (MODELS["replay"](), MODELS["bidirectional"]())):
        assert not faults(tr.draw.compare(*pair, engine="graphviz-pure", **options))
