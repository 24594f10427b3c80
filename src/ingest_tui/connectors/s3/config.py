"""Settings of an S3 source."""

from __future__ import annotations

import re
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]\Z")
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:]*)(:\d{1,5})?\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LONGEST_KEY = 1024


class S3Config(BaseModel):
    """Settings of an S3 source. ``include`` and ``exclude`` apply to the part below the prefix, as in .gitignore."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: str = Field(description="the bucket, or the alias of an access point", json_schema_extra={"browse": True})
    prefix: str = Field(
        default="", description="only keys that begin with it, e.g. handbook/", json_schema_extra={"browse": True}
    )
    endpoint_url: str | None = Field(
        default=None,
        description="the address of a store that is not AWS, e.g. http://127.0.0.1:9000",
        json_schema_extra={"metavar": "URL"},
    )
    region: str | None = Field(
        default=None,
        description="the region of the bucket; followed when it is another one",
        json_schema_extra={"chooses": False},
    )
    credential: str | None = Field(
        default=None,
        description="the entry of the credential registry to sign with",
        json_schema_extra={"metavar": "NAME", "credential_type": "aws"},
    )
    profile: str | None = Field(default=None, description="the AWS profile to sign with")
    anonymous: bool = Field(default=False, description="do not sign: for public buckets")
    requester_pays: bool = Field(
        default=False, description="agree to pay for requests and transfer", json_schema_extra={"chooses": False}
    )
    versions: bool = Field(
        default=False,
        description="note version ids and fetch exactly the version that was listed",
        json_schema_extra={"chooses": False},
    )
    include: tuple[str, ...] = Field(default=(), description="take only what matches, e.g. *.md or docs/**")
    exclude: tuple[str, ...] = Field(default=(), description="leave out what matches, e.g. drafts/")
    addressing: Literal["auto", "path", "virtual"] = Field(
        default="auto",
        description="where the bucket's name goes: in the path or before the host name",
        json_schema_extra={"chooses": False},
    )
    opaque_etags: bool = Field(
        default=False, description="do not take ETags for MD5 sums: for stores where they only look like some"
    )
    listing_order: Literal["auto", "bytes"] = Field(
        default="auto",
        description="bytes: the store lists in the order of the bytes of keys, so that parts of a large bucket are "
        "listed at once; auto: only AWS is trusted to",
    )
    sqs: str | None = Field(
        default=None,
        description="a queue with the bucket's event notifications, as hints for watching",
        json_schema_extra={"metavar": "URL", "chooses": False},
    )

    @field_validator("endpoint_url", "region", "credential", "profile", "sqs", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("bucket")
    @classmethod
    def _plausible_bucket(cls, value: str) -> str:
        if value.startswith("arn:"):
            raise ValueError("name the bucket or the alias of the access point, not an ARN")
        if value.endswith("--x-s3"):
            raise ValueError("directory buckets are not supported")
        if not _BUCKET.match(value):
            raise ValueError("not the name of a bucket (3 to 255 letters, digits, '.', '-' and '_')")
        return value

    @field_validator("prefix")
    @classmethod
    def _encodable_prefix(cls, value: str) -> str:
        try:
            encoded = value.encode()
        except UnicodeEncodeError:
            raise ValueError("the prefix is not UTF-8") from None
        if len(encoded) > LONGEST_KEY:
            raise ValueError(f"longer than a key can be ({LONGEST_KEY} bytes)")
        return value

    @field_validator("region")
    @classmethod
    def _plausible_region(cls, value: str | None) -> str | None:
        if value is not None and not _REGION.match(value):
            raise ValueError("not the name of a region, e.g. eu-central-1")
        return value

    @field_validator("endpoint_url", "sqs")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if "@" in value:
            raise ValueError("no user name or password in the address; use --credential")
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or _CONTROL.search(value):
            raise ValueError("not an http or https address, e.g. https://s3.example.org")
        if not _HOST_AND_PORT.match(parts.netloc):
            raise ValueError("the port in the address is not a number")
        if parts.query or parts.fragment:
            raise ValueError("nothing may follow the path of the address")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        given = [name for name in ("credential", "profile", "anonymous") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other")
        if self.sqs and self.anonymous:
            raise ValueError("sqs needs a credential; it cannot be anonymous")
        return self
