"""The README of an encoder that was trained further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conflictnlp.data.lineage import HASHES, PRETRAINING, Lineage

_NEW_HEAD = """
The base model came without a head for masked words. A new one was trained from random values on its tied word
embeddings, so the perplexity before training is that of a head that knows nothing; the fall from it says little of
what the encoder has learnt.
"""


def encoder_card(facts: Mapping[str, Any], lineage: Lineage, model: str) -> str:
    """Write the README.

    Args:
        facts: what `pretraining.json` tells.
        lineage: what the encoder has read.
        model: the name in conf/model that it began from.

    Returns:
        Markdown.
    """
    sources = "\n".join(f"| `{source}` | {rows} |" for source, rows in facts["sources"].items())
    dropped = ", ".join(f"{reason} {count}" for reason, count in facts["dropped"].items()) or "none"
    perplexity = facts["perplexity"]
    config = facts["config"]
    undated = f"; {lineage.undated} texts bear no date" if lineage.undated else ""
    return f"""# {facts["base_model"]}, trained further on masked words

Continued pre-training in the manner of Gururangan et al. 2020 (*Don't Stop Pretraining*), made by
`conflictnlp pretrain`. Fine-tune it with

```console
conflictnlp train model={model} model.name={model}-pretrained model.encoder=<this folder>
```

| source | rows |
| --- | --- |
{sources}

{facts["texts"]} texts were learnt from ({facts["tokens"]} tokens), {facts["held_out_texts"]} held out; rows left out:
{dropped}. Latest date of a text: {lineage.latest_date or "unknown"}{undated}. Only rows from before:
{config["before"] or "(no limit)"}.

| | perplexity of masked tokens, held-out texts |
| --- | --- |
| before | {perplexity["before"]:.2f} |
| after {facts["steps"]} steps | {perplexity["after"]:.2f} |
{_NEW_HEAD if facts["new_head"] else ""}
One seed ({facts["seed"]}). A lower perplexity is no better classifier: compare fine-tuned models.

`{PRETRAINING}` holds the settings, `{HASHES}` 8-byte hashes of the normalised texts. `conflictnlp train`
compares them with what it scores; keep both files beside the weights.
"""
