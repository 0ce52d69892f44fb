"""How much does a trained model look at names? Name dependence of bundles on momentum/dev, one bundle a seed.

CONFLICTNLP_DATA=... python experiments/momentum-inputs/bundles.py [BUNDLE ...] [--seeds 1 2 3]

Without bundles the default recipe is trained for each seed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from names import by_names, macro_f1, read_momentum

from conflictnlp.bundle import load_estimator, read_manifest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trained import bundles


def main(models: list[Path]) -> None:
    task, train, dev = read_momentum()
    gold = [row.label for row in dev]
    results = []
    for bundle in models:
        model = load_estimator(bundle, read_manifest(bundle), "cpu")
        found = list(model.predict([row.passage(task) for row in dev]))
        by_label = {
            f"F1 {name}": macro_f1([label == name for label in gold], [label == name for label in found], [True])
            for name in task.label_names
        }
        results.append({"macro_f1": macro_f1(gold, found), **by_label, **by_names(model, train, dev, found, task)})
        print(f"{bundle}: {results[-1]['macro_f1']:.3f}", file=sys.stderr)
    print(f"| on dev, {len(models)} model(s) | mean | each |\n|---|---|---|")
    for key in results[0]:
        each = [result[key] for result in results]
        print(f"| {key} | {np.mean(each):.3f} | {', '.join(f'{value:.3f}' for value in each)} |")


if __name__ == "__main__":
    main(bundles(__doc__))
