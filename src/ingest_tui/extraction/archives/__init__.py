"""Archives as containers of documents: what each kind has in it, written out member by member."""

from __future__ import annotations

from collections.abc import Callable

from ingest_tui.extraction.intake.containers import ContainerError
from ingest_tui.extraction.members import MemberWriter


def unpack(container: ContainerError, writer: MemberWriter, tick: Callable[[], None]) -> None:
    """Write out the members of a container that was found. ``tick`` is called for each.

    What a single member suffers from is noted with it. Raises `ItemRejectedError` (``archive_bomb``, ``encrypted``)
    and `ProcessingError` (``malformed``) for what is wrong with the container as a whole.
    """
    if container.kind == "zip":
        from ingest_tui.extraction.archives.zip import unpack_zip

        unpack_zip(container.content, writer, tick)
    elif container.kind == "tar":
        from ingest_tui.extraction.archives.tar import unpack_tar

        unpack_tar(container.content, writer, tick)
    elif container.kind == "7z":
        from ingest_tui.extraction.archives.seven_zip import unpack_7z

        unpack_7z(container.content, writer, tick)
    else:
        raise ValueError(container.kind)
