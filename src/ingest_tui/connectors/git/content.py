"""The content of one file of a repository, checked while it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ingest_tui.connectors.git.git_errors import GitFailedError, item_error, pointer_error
from ingest_tui.connectors.git.repository import Repository
from ingest_tui.model.descriptor import Descriptor

_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_LARGEST_POINTER = 1024
_SHA1_DIGITS = 40


def checked(repository: Repository, descriptor: Descriptor, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a file.

    Raises `ItemError` when they are not the content that its id stands for, or only a pointer of Git LFS to it.
    """
    algorithm = "sha1" if len(descriptor.fingerprint) == _SHA1_DIGITS else "sha256"
    received = hashlib.new(algorithm, b"blob %d\0" % (descriptor.size or 0), usedforsecurity=False)
    may_be_pointer = (descriptor.size or 0) <= _LARGEST_POINTER
    try:
        for piece in pieces:
            if may_be_pointer and piece.startswith(_POINTER):
                raise pointer_error(descriptor)
            received.update(piece)
            yield piece
    except GitFailedError as failure:
        raise item_error(descriptor, failure, repository.loose_object(descriptor.fingerprint)) from None
    if received.hexdigest() != descriptor.fingerprint:
        raise item_error(descriptor, GitFailedError("what it printed is not what was listed"))
