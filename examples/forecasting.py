"""Forecasting: Seattle's weather five days ahead, four variables; the carbon dioxide of the air a year ahead.

    python examples/forecasting.py [--quick] [--seed N] [--out DIR]

The data are vega_datasets' seattle_weather (daily, four years) and statsmodels' co2 (by month, 44
years). The last quarter of each is the test, and the stretch before it says when to stop; scales are
those of the first part alone. Baselines: the last value (persistence), that of a season ago, and a
linear autoregression with ridge over all of the window, its bound chosen on the validation. The model
adds a GRU to that autoregression, five times over, each from another seed, and takes the mean of the
five.
"""

from typing import NamedTuple

import numpy as np
import task
from statsmodels.datasets import co2
from vega_datasets import local_data

import tinyrnn as tr

MODEL = "the same and a GRU, mean of five"


class Series(NamedTuple):
    """Values (T, n), the phase of the year at each step, and how to cut them."""

    name: str
    values: np.ndarray
    phase: np.ndarray
    season: int
    look_back: int
    horizon: int


def all_series() -> list[Series]:
    days = local_data.seattle_weather()
    weather = np.stack([days.temp_max, days.temp_min, days.wind, np.log1p(days.precipitation)], axis=1)
    months = co2.load_pandas().data.resample("MS").mean().interpolate()
    day_of_year = np.array([date.timetuple().tm_yday for date in days.date]) / 365.25
    return [
        Series("weather", weather, day_of_year, season=365, look_back=14, horizon=5),
        Series("co2", months.to_numpy(), months.index.month.to_numpy() / 12, 12, look_back=24, horizon=12),
    ]


class Forecaster(tr.nn.Module):
    """What a linear map of the window says, and what a GRU adds to that."""

    def __init__(self, linear: np.ndarray, inputs: int, horizon: int, hidden: int) -> None:
        self.linear = tr.nn.Parameter(linear, requires_grad=False, dtype="float32")
        self.rnn = tr.nn.GRU(inputs, hidden)
        self.drop = tr.nn.Dropout(0.2)
        self.head = tr.nn.Linear(hidden, linear.shape[1])
        self.head.weight.data[:] = self.head.bias.data[:] = 0  # it begins where the linear map is
        self.horizon = horizon

    def forward(self, x: tr.Tensor) -> tr.Tensor:
        """Map (look_back, B, inputs) to (horizon, B, variables)."""
        _, h = self.rnn(x)
        flat = self.head(self.drop(h[0])) + rows_of(x) @ self.linear
        return flat.reshape((x.shape[1], self.horizon, -1)).swapaxes(0, 1)


def rows_of(x):
    """Return each window as one row, with a 1 for the intercept."""
    flat = x.swapaxes(0, 1).reshape((x.shape[1], -1))
    return tr.concatenate([flat, np.ones((len(flat), 1), flat.dtype)], axis=1)


def loss_of(model: Forecaster, batch) -> tr.Tensor:
    return tr.nn.mse_loss(model(tr.as_tensor(batch[0])), batch[1])


def compare(series: Series, quick: bool, first: int) -> tuple[dict[str, float], tr.Tensor]:
    """Measure baselines and model on one series: mean squared errors, in % of the first part's variance."""
    parts = tr.data.split_in_time(np.arange(len(series.values)), 0.12, 0.25, look_back=series.look_back)
    mean, scale = (f(series.values[parts[0]], axis=0) for f in (np.mean, np.std))
    z, angle = (series.values - mean) / scale, 2 * np.pi * series.phase[:, None]
    inputs = np.concatenate([z, np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)
    variables, windows = z.shape[1], []
    for part in parts:
        x, y = tr.data.windows_of(inputs[part], series.look_back, series.horizon)
        windows.append((np.ascontiguousarray(x), np.ascontiguousarray(y[..., :variables])))
    learnt, validation, (x, y) = windows

    def ridge(bound: float) -> np.ndarray:
        rows, targets = rows_of(learnt[0]).astype(float), rows_of(learnt[1])[:, :-1]
        return np.linalg.solve(rows.T @ rows + bound * np.eye(rows.shape[1]), rows.T @ targets)

    def error(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean((rows_of(x) @ weights - rows_of(y)[:, :-1]) ** 2))

    linear = min((ridge(10.0**i) for i in range(-2, 4)), key=lambda weights: error(weights, *validation))
    found, model = [], None
    for seed in range(5 * first, 5 * first + 5):
        tr.manual_seed(seed)
        model = Forecaster(linear, inputs.shape[1], series.horizon, hidden=16 if quick else 32)
        tr.fit(
            model,
            loss_of,
            tr.data.batches(*learnt, size=32, rng=seed, axis=1),
            tr.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05),
            epochs=25 if quick else 100,
            clip=1.0,
            validate=[validation],
            callbacks=[tr.training.BestWeights(), tr.training.EarlyStopping(4 if quick else 12)],
        )
        model.eval()
        with tr.no_grad():
            found.append(model(tr.as_tensor(x)).numpy())
    start = parts[2][series.look_back]  # the first step that is forecast
    steps = start + np.arange(series.horizon)[:, None] + np.arange(y.shape[1])
    numbers = {
        "persistence": np.mean((x[-1:, :, :variables] - y) ** 2),
        "seasonal naive": np.mean((z[steps - series.season] - y) ** 2),
        "linear autoregression": error(linear, x, y),
        MODEL: np.mean((np.mean(found, axis=0) - y) ** 2),
    }
    model.zero_grad()
    with tr.unrolled():
        loss = loss_of(model, (x[:, :1], y[:, :1]))
    return {name: 100 * float(value) for name, value in numbers.items()}, loss


def main() -> None:
    given = task.arguments(__doc__)
    for series in all_series():
        numbers, loss = compare(series, given.quick, given.seed)
        task.draw(loss, given.out, f"forecasting_{series.name}")
        task.conclude(
            f"{series.name}: mean squared error on the last quarter, % of the variance", numbers, model=MODEL
        )


if __name__ == "__main__":
    main()
