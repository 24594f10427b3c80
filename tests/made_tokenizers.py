"""Small tokenizers of the kinds that models come with, made here."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

_WORDS = ["the quick brown fox jumps over a lazy dog", "abcde abc bcd cde é日本語", "X Y Z | --- |"] * 5


def _byte_pairs() -> Tokenizer:
    """As of GPT: bytes are joined to words, a letter beyond ASCII may have several tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(_WORDS, trainers.BpeTrainer(vocab_size=320, initial_alphabet=alphabet))
    return tokenizer


def _word_pieces() -> Tokenizer:
    """As of BERT: white space has no tokens, and a word that is not known has one."""
    vocabulary = {name: number for number, name in enumerate(["[UNK]", *"abcde|-.", *(f"##{one}" for one in "abcde")])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _unigrams() -> Tokenizer:
    """As of T5: white space is part of the words."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=60, unk_token="<unk>", special_tokens=["<unk>"])
    tokenizer.train_from_iterator(_WORDS, trainer)
    return tokenizer


TOKENIZERS = {"bytes": _byte_pairs(), "words": _word_pieces(), "unigrams": _unigrams()}


def write_tokenizer(path: Path, name: str = "bytes") -> Path:
    """Write one that also cuts texts short, as those of models do."""
    tokenizer = Tokenizer.from_str(TOKENIZERS[name].to_str())
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16)
    tokenizer.save(str(path))
    return path
