"""Detecting the language of a text."""

from __future__ import annotations

import pytest

from ingest_tui.model.language import detect_language

SENTENCES = {
    "en": "The rain is measured every morning at seven, and the figures are kept by the station.",
    "de": "Die Messung der Niederschläge erfolgt täglich um sieben Uhr an allen Stationen des Landes.",
    "fr": "La pluie est mesurée chaque matin à sept heures dans toutes les stations du pays.",
    "nl": "De regen wordt elke ochtend gemeten in alle stations van het land, of er nu regen was of niet.",
    "es": "La lluvia se mide cada mañana a las siete en todas las estaciones del país.",
    "ru": "Осадки измеряются каждое утро в семь часов на всех станциях страны.",
    "el": "Η βροχή μετριέται κάθε πρωί στις επτά σε όλους τους σταθμούς της χώρας.",
    "ja": "雨量は毎朝七時に国内のすべての観測所で測定されます。",
    "zh": "全国所有气象站每天早上七点测量降雨量。",
}


@pytest.mark.parametrize(("language", "sentence"), SENTENCES.items())
def test_detects_the_language_of_a_sentence(language: str, sentence: str) -> None:
    """One sentence of prose is enough, and marks of markdown, addresses and numbers are no part of it."""
    assert detect_language(sentence) == language
    assert detect_language(f"# 2024-01-15\n\nhttps://example.com/the/and/to\n\n**{sentence}**\n") == language


@pytest.mark.parametrize("text", ["", "12 34 56", "id,name,value\n1,foo,23\n", "Résumé", "OK"])
def test_what_is_not_certain_is_none(text: str) -> None:
    """Without prose nothing is claimed."""
    assert detect_language(text) is None
