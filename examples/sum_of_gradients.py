"""Draw the two ways to read "∂L/∂W is the sum over t of ∂L_t/∂W": by loss, and by use of the weight.

python examples/sum_of_gradients.py            # saves sum_of_gradients.png
"""

import argparse

import numpy as np

import tinyrnn as tr


def table_of_gradients(steps: int = 6, units: int = 3, seed: int = 0) -> np.ndarray:
    """Return ∂L_s/∂W through the use at t, (steps, steps, units, units), of a tanh RNN."""
    rng = np.random.default_rng(seed)
    W, inputs = rng.normal(size=(units, units)) / 2, rng.normal(size=(steps, units))
    uses = [tr.tensor(W, requires_grad=True) for _ in range(steps)]  # a copy of the weight for each step
    h, table = tr.zeros(units, dtype="float64"), np.zeros((steps, steps, units, units))
    for s in range(steps):
        h = tr.tanh(uses[s] @ h + inputs[s])
        for t, g in enumerate(tr.grad((h * h).sum(), uses[: s + 1], retain_graph=True)):
            table[s, t] = g.numpy()
    return table


def norms(terms: np.ndarray) -> np.ndarray:
    """Return the norm of each matrix."""
    return np.linalg.norm(terms, axis=(-2, -1))


def main() -> None:
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(description="Draw both readings of the sum over time.")
    parser.add_argument("-o", "--output", default="sum_of_gradients.png")
    arguments = parser.parse_args()
    table = table_of_gradients()
    figure = Figure(figsize=(10, 3.3), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    tr.draw.plot_gradient_table(norms(table), axes=left)
    left.set_xlabel("use of W at step t")
    left.set_title("‖∂L_s/∂W through the use at t‖")
    for axes, axis, title in (
        (middle, 1, "by loss: the rows summed"),
        (right, 0, "by use: the columns summed"),
    ):
        terms = table.sum(axis=axis)
        axes.bar(range(1, len(terms) + 1), norms(terms), color="#0072B2")
        axes.set(title=title, ylabel="norm of the term", xlabel="loss of step s" if axis else "use at step t")
        total = np.linalg.norm(terms.sum(axis=0))
        axes.annotate(f"all together: ‖∂L/∂W‖ = {total:.4f}", (0.03, 0.93), xycoords="axes fraction")
        axes.set_ylim(0, 2.4)
    figure.savefig(arguments.output, dpi=100)


if __name__ == "__main__":
    main()
