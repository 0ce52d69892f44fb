"""Pure text: sentences, marked spans and windows; one piece of code for training and for inference."""

from conflictnlp.text.characters import whole_characters
from conflictnlp.text.names import invent_name, rename
from conflictnlp.text.parties import Party, may_be_one, merge_mentions
from conflictnlp.text.sentences import sentence_spans
from conflictnlp.text.spans import Passage, find_mentions, insert_markers, search_key, share_mentions
from conflictnlp.text.windows import Window, plan_windows

__all__ = [
    "Party",
    "Passage",
    "Window",
    "find_mentions",
    "insert_markers",
    "invent_name",
    "may_be_one",
    "merge_mentions",
    "plan_windows",
    "rename",
    "search_key",
    "sentence_spans",
    "share_mentions",
    "whole_characters",
]
