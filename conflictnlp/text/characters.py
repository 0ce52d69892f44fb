"""Characters that no encoding of text knows."""

from __future__ import annotations

import re

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def whole_characters(text: str) -> str:
    """Replace halves of surrogate pairs, which JSON can hold and tokenizers refuse; every offset stays as it is."""
    return _LONE_SURROGATE.sub("\ufffd", text) if _LONE_SURROGATE.search(text) else text
