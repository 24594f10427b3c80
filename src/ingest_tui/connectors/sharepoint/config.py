"""The settings of a SharePoint source."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest_tui.connectors.sharepoint.urls import parse_site_url


class SharePointConfig(BaseModel):
    """Settings of a SharePoint source. ``include`` and ``exclude`` are patterns as in .gitignore."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str = Field(
        min_length=1, description="address of the site, of a library or a folder, as the browser shows it"
    )
    credential: str = Field(
        min_length=1,
        description="name of the credential to sign in with (type entra)",
        json_schema_extra={"credential_type": "entra"},
    )
    library: tuple[str, ...] = Field(
        default=(),
        description="take only this library (default: all of the site)",
        json_schema_extra={"browse": True},
    )
    folder: str = Field(
        default="",
        description="take only this folder of the library, e.g. Handbook/2026",
        json_schema_extra={"browse": True},
    )
    include: tuple[str, ...] = Field(
        default=(), description="take only what matches, e.g. *.docx or Documents/Handbook/"
    )
    exclude: tuple[str, ...] = Field(default=(), description="leave out what matches, e.g. Archive/")
    follow_shortcuts: bool = Field(default=False, description="take what shortcuts to other libraries lead to")
    reconcile_days: int = Field(
        default=7,
        ge=0,
        le=365,
        description="after so many days everything is listed again, not only what changed",
        json_schema_extra={"chooses": False},
    )

    @field_validator("site")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parse_site_url(value)
        return value.strip()

    @field_validator("folder")
    @classmethod
    def _plain_path(cls, value: str) -> str:
        segments = [segment for segment in value.strip().split("/") if segment]
        if any(segment in {".", ".."} for segment in segments):
            raise ValueError("the folder is a path within the library, without '.' and '..'")
        return "/".join(segments)
