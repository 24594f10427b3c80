"""Sentences, words and verbs by rule, for unstructured where its language model is missing.

spaCy's tokenizer and sentencizer need no model. unstructured asks for one thing more: whether a text has a verb, which
tells prose from titles; the commonest English verbs and endings answer that for most sentences.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

VERB_TAG = "VB"
_COMMON = (
    "am is are was were be been being has have had having do does did done doing can could will would shall "
    "should may might must make makes made take takes took give gives gave get gets got go goes went come comes "
    "came say says said see sees saw know knows knew think thinks thought find finds found use uses need needs "
    "want wants show shows keep keeps kept let begin begins began put puts read reads write writes wrote work "
    "works become becomes became include includes hold holds held bring brings brought send sends sent mean means "
    "meant"
)
_COMMON_VERBS = frozenset(_COMMON.split())
_VERB_ENDINGS = re.compile(r"[a-z]{3}(?:ed|ing|ises?|izes?|ifies)$")


def is_verb(word: str) -> bool:
    """Say whether a lower-case word is a verb, as far as its form shows."""
    return word in _COMMON_VERBS or _VERB_ENDINGS.search(word) is not None


class RuleBasedPipeline:
    """Stands in for a pipeline of spaCy: called with a text, it returns the document with its sentences and verbs."""

    def __init__(self) -> None:
        self._pipeline = importlib.import_module("spacy").blank("en")
        self._pipeline.add_pipe("sentencizer")
        self.max_length: int = self._pipeline.max_length

    def __call__(self, text: str) -> Any:
        """Return the document."""
        document = self._pipeline(text)
        for token in document:
            if is_verb(token.lower_):
                token.tag_ = VERB_TAG
        return document
