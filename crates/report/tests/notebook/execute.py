"""Executes the code of a notebook in its folder, and prints what it found, for the test to compare."""

import json
import sys

import matplotlib

matplotlib.use("Agg")

notebook = json.load(open(sys.argv[1], encoding="utf-8"))
found = {}
for cell in notebook["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), found)
figures = [found["plt"].figure(number) for number in found["plt"].get_fignums()]
for figure in figures:
    figure.canvas.draw()
json.dump(
    {
        "medians": {str(cell): row for cell, row in json.loads(found["medians"].to_json(orient="index")).items()},
        "quantiles": json.loads(found["quantiles"].to_json(orient="index", double_precision=15)),
        "axes": [len(figure.axes) for figure in figures],
        "lines": [len(axes.lines) for figure in figures for axes in figure.axes],
    },
    sys.stdout,
)
