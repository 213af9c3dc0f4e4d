# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

FOLDER = Path(".")
manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
trials = pd.read_csv(FOLDER / "trials.csv", dtype={"model": str})

# %% [markdown]
# A row of `trials.csv` is a trial; columns have their unit in their name. Only trials that are VALID or SUSPECT count. The trials of a
# *cell* are the repeats of one and the same thing: of its figures the report shows the median.

# %%
factors = [factor["column"] for factor in manifest["factors"]]
swept = [column for column in factors if trials[column].nunique(dropna=False) > 1]
counted = trials[trials["verdict"].isin(["VALID", "SUSPECT"])]


def words(levels):
    """The levels of some factors, as far as they are given."""
    shown = [f"{level:g}" if isinstance(level, float) else str(level) for level in levels if pd.notna(level)]
    return ", ".join(shown)


cells = trials.groupby("cell")[swept].first()
names = {cell: words(levels) or manifest["name"] for cell, levels in zip(cells.index, cells.values)}
circumstances = {
    cell: words(levels)
    for cell, levels in zip(cells.index, cells[[column for column in swept if column != "model"]].values)
}
medians = counted.groupby("cell")[
    ["throughput_requests_per_s", "latency_mean_us", "latency_p50_us", "latency_p99_us", "server_cpu_per_request_us"]
].median()
medians.rename(index=names)

# %% [markdown]
# `trials/*.hlog` are histogram logs (HdrHistogram): untagged intervals hold the response times of an open loop, the service times of a
# closed one, in nanoseconds. Requests that were given up are among them, and once more under the tag `given_up`: they have no time.

# %%
def counts(trial):
    """How often which time in nanoseconds occurred: of the requests that were answered, and how many were given up."""
    path = FOLDER / "trials" / f"{trial}.hlog"
    kinds = {None: pd.Series(dtype=float), "given_up": pd.Series(dtype=float)}
    if not path.exists():
        return kinds[None], 0
    log = HistogramLogReader(str(path), HdrHistogram(1, 3_600_000_000_000, 3))
    while (interval := log.get_next_interval_histogram()) is not None:
        kind = interval.get_tag() or None
        if kind in kinds:
            found = {step.value_iterated_to: step.count_added_in_this_iter_step for step in interval.get_recorded_iterator()}
            kinds[kind] = kinds[kind].add(pd.Series(found, dtype=float), fill_value=0)
    log.close()
    answered = kinds[None].sub(kinds["given_up"], fill_value=0)
    return answered[answered > 0], int(kinds["given_up"].sum())


def distribution(cell):
    """The share of a cell's requests that took no longer than each time in seconds, over all repeats that count."""
    answered, given_up = pd.Series(dtype=float), 0
    for trial in counted.loc[counted["cell"] == cell, "id"]:
        times, without = counts(trial)
        answered, given_up = answered.add(times, fill_value=0), given_up + without
    shares = answered.sort_index().cumsum() / max(answered.sum() + given_up, 1)
    return shares.set_axis(shares.index.astype(float) * 1e-9)


distributions = {cell: distribution(cell) for cell in sorted(counted["cell"].unique())}


def quantile(shares, share):
    """The time in seconds that a share of requests does not exceed; NaN where so many were never answered."""
    reached = shares[shares >= share - 1e-12]
    return reached.index[0] if len(reached) else float("nan")


quantiles = pd.DataFrame(
    {share: {cell: quantile(shares, share) for cell, shares in distributions.items()} for share in [0.5, 0.9, 0.99]}
)
quantiles.rename(index=names)

# %% [markdown]
# The distributions: on the left the share of requests that took no longer, on the right latency by percentile, where each further nine
# is as wide as the one before.

# %%
panels = {}
for cell in distributions:
    panels.setdefault(circumstances[cell], []).append(cell)
figure, axes = plt.subplots(len(panels) or 1, 2, figsize=(13, 4.2 * (len(panels) or 1)), squeeze=False)
for (left, right), (under, members) in zip(axes, panels.items()):
    for cell in members:
        shares = distributions[cell]
        label = str(cells.loc[cell, "model"]) if "model" in swept else names[cell]
        left.step(shares.index, shares.values, where="post", label=label)
        inner = shares[shares < 1]
        right.plot(1 / (1 - inner.values), inner.index, label=label)
    left.set(xscale="log", xlabel="time (s)", ylabel="share of requests", title=under)
    right.set(xscale="log", yscale="log", xlabel="percentile", ylabel="time (s)", title=under)
    nines = [2, 10, 100, 1000, 10_000]
    right.set_xticks(nines, [f"{100 * (1 - 1 / nine):g} %" for nine in nines])
    left.legend(fontsize="small")
figure.tight_layout()

# %% [markdown]
# Throughput of each cell: the median, and each repeat that counts.

# %%
figure, axis = plt.subplots(figsize=(9, 1 + 0.3 * len(medians)))
places = {cell: place for place, cell in enumerate(medians.index)}
axis.barh(list(places.values()), medians["throughput_requests_per_s"], color="#0072B2", alpha=0.4)
axis.plot(counted["throughput_requests_per_s"], counted["cell"].map(places), "|", color="#1A1A1A")
axis.set_yticks(list(places.values()), [names[cell] for cell in medians.index])
axis.invert_yaxis()
axis.set_xlabel("throughput (requests/s)")
figure.tight_layout()
