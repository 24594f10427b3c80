"""The server that signs in or refuses is the one that the credentials themselves are tested with."""

from tests.unit.credentials.conftest import server

__all__ = ["server"]
