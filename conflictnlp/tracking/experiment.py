"""What an experiment shows in the MLflow UI: its description, and a view with the columns worth sorting."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Sequence

VIEW = "scores"
# As the UI names columns; name, age and duration always stand there.
COLUMNS = (
    "tags.`settings`",
    "metrics.`test/macro_f1`",
    "metrics.`test/macro_f1_low`",
    "metrics.`test/macro_f1_high`",
    "metrics.`val/macro_f1`",
    "metrics.`test/ece`",
    "params.`seed`",
    "tags.`model`",
    "tags.`data`",
)


def experiment_tags(about: str | None = None) -> dict[str, str]:
    """Return the tags that an experiment is given when it has none of their names.

    Args:
        about: its description in Markdown.

    Returns:
        description, kind (the UI opens its training runs, not its traces) and the saved view.
    """
    tags = {
        "mlflow.experimentKind": "custom_model_development",
        f"mlflow.sharedViewState.{VIEW}": _saved_view(VIEW, COLUMNS, COLUMNS[1]),
    }
    return tags | ({"mlflow.note.content": about} if about else {})


def _saved_view(name: str, columns: Sequence[str], order: str) -> str:
    """Write a view of the runs table as the UI itself stores it (MLflow 3.17; older ones offer no views)."""
    state = {
        "searchFilter": "",
        "orderByKey": order,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(columns),
        "columnOrder": [],
        "columnWidths": {},
        "runsHiddenMode": "FIRST_10_RUNS",
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": False,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    now = int(time.time() * 1000)
    return json.dumps({"name": name, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"})
