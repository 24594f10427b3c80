"""source_type → connector, imported only when it is used. Other packages add theirs by entry point."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any

from ingest_tui.connectors.base import BaseConnector, Credentials
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.errors import MissingDependencyError
from ingest_tui.model.interrupts import is_ctrl_c
from ingest_tui.model.safe_text import safe_display

ENTRY_POINT_GROUP = "ingest_tui.connectors"
EXTRAS = {
    "confluence": ("urllib3",),
    "s3": ("boto3", "botocore", "urllib3"),
    "sharepoint": ("office365", "msal", "requests"),
    "web": ("protego", "urllib3"),
}
"""The modules that types of sources need from an extra of their name."""
_BUILT_IN = {
    "local": "ingest_tui.connectors.local.connector:LocalConnector",
    "directory": "ingest_tui.connectors.local.connector:LocalConnector",
    "confluence": "ingest_tui.connectors.confluence.connector:ConfluenceConnector",
    "git": "ingest_tui.connectors.git.connector:GitConnector",
    "mail": "ingest_tui.connectors.mail.connector:MailConnector",
    "rclone": "ingest_tui.connectors.rclone.connector:RcloneConnector",
    "s3": "ingest_tui.connectors.s3.connector:S3Connector",
    "sharepoint": "ingest_tui.connectors.sharepoint.connector:SharePointConnector",
    "web": "ingest_tui.connectors.web.connector:WebConnector",
}
_SERVING = ("ingest_tui.connectors.git.address_connector:GitAddressConnector",)
"""Further classes of this package that those above have serve some of their settings."""


def source_types() -> list[str]:
    """Return the known source types, sorted."""
    return sorted({*_BUILT_IN, *(point.name for point in _brought())})


def _brought() -> tuple[EntryPoint, ...]:
    return _found(tuple(sys.path), entry_points)


@lru_cache(maxsize=4)
def _found(_path: tuple[str, ...], find: Callable[..., EntryPoints]) -> tuple[EntryPoint, ...]:
    """Return the connectors of other packages. Looked for once a path: to read what is installed takes long."""
    return tuple(find(group=ENTRY_POINT_GROUP))


def connector_class(source_type: str) -> type[BaseConnector]:
    """Return the connector of a type.

    Raises ValueError naming the known ones for an unknown type, `MissingDependencyError` for one that cannot be loaded.
    """
    if source_type in _BUILT_IN:
        return _built_in(source_type)
    for point in _brought():
        if point.name == source_type:
            return _brought_by(point)
    raise ValueError(f"unknown source type {source_type!r}; known types: {', '.join(source_types())}")


def serving_class(source_type: str, config: Mapping[str, Any]) -> type[BaseConnector]:
    """Return the connector of a source with these settings; raises what `connector_class` raises."""
    return connector_class(source_type).serving(config)


def is_built_in(connector: type[BaseConnector]) -> bool:
    """Whether a class is one of those that this package declares: mypy and the conformance suite check them."""
    return f"{connector.__module__}:{connector.__qualname__}" in {*_BUILT_IN.values(), *_SERVING}


def _built_in(source_type: str) -> type[BaseConnector]:
    module, _, name = _BUILT_IN[source_type].partition(":")
    try:
        loaded: type[BaseConnector] = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"the {source_type} connector needs the package {error.name!r}, which is not installed",
            hint=f'pip install "ingest-tui[{source_type}]"',
        ) from None
    return loaded


def _brought_by(point: EntryPoint) -> type[BaseConnector]:
    """Return the connector of another package, whose mistakes must harm nobody but its own type."""
    try:
        loaded = point.load()
    except BaseException as error:  # whatever a foreign package raises while it is imported
        if is_ctrl_c(error):
            raise
        missing = f": {error.name} is not installed" if isinstance(error, ModuleNotFoundError) else ""
        reason = f"{type(error).__name__}{missing}"
    else:
        if isinstance(loaded, type) and issubclass(loaded, BaseConnector):
            return loaded
        reason = "it is no BaseConnector"
    raise MissingDependencyError(
        f"the {safe_display(point.name)} connector cannot be loaded ({safe_display(reason)})",
        hint=f"install or repair the package that brings '{safe_display(point.value)}'",
    )


@checks_types
def get_connector(
    source_type: str,
    config: dict[str, Any],
    *,
    max_size: int | None = None,
    credentials: Credentials | None = None,
) -> BaseConnector:
    """Return a connector for a source; ValueError for an unknown type, `ValidationError` for wrong settings.

    ``max_size`` (bytes) is the largest item that a listing lets through. ``credentials`` is where the connector finds
    the credential that its settings name.
    """
    return serving_class(source_type, config)(config, max_size=max_size, credentials=credentials)
