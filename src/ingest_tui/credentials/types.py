"""The types of credentials, declared as data: their fields, which of them are secret, and how they sign in.

Other packages register theirs by an entry point in the group ``ingest_tui.credential_types`` whose value is a
`CredentialType`. A type needs its model to be a subclass of `Entry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import entry_points
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest_tui.model.errors import MissingDependencyError, RefusedError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.transport.addresses import is_safe_for_secrets

ENTRY_POINT_GROUP = "ingest_tui.credential_types"


def _is_plain_address(value: str) -> str:
    try:
        address = urlsplit(value)
    except ValueError:  # its message quotes the address
        raise ValueError("must be an address like https://host/path") from None
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ValueError("must be an address like https://host/path")
    if "@" in address.netloc:
        raise ValueError("must not hold a name or a password")
    return value


def _is_safe_address(value: str) -> str:
    if not is_safe_for_secrets(_is_plain_address(value)):
        raise ValueError("must begin with https://, since a secret is sent there")
    return value


def _is_absolute(value: str) -> str:
    if not value.startswith("/") or "\0" in value:
        raise ValueError("must be an absolute path, since a worker may run in another folder")
    return value


NonEmptyText = Annotated[str, Field(min_length=1)]
Address = Annotated[str, AfterValidator(_is_plain_address)]
LocalFile = Annotated[str, AfterValidator(_is_absolute)]
SafeAddress = Annotated[str, AfterValidator(_is_safe_address)]


class Entry(BaseModel):
    """What every entry of the file may have. Fields that its type does not know are kept, never read."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    type: str
    description: str = ""
    expires: date | None = None
    command_environment: tuple[str, ...] = Field(
        default=(), description="Names of further environment variables that command: references need"
    )

    @field_validator("expires", mode="before")
    @classmethod
    def _is_a_day(cls, value: Any) -> date | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueError("must be a day like 2027-06-30") from None


@dataclass(frozen=True, slots=True)
class SecretField:
    """A field whose value is a reference. ``question`` is how a person is asked for it.

    ``unless``: not asked for when that field was given. ``with_``: asked for only when that field was given.
    """

    name: str
    question: str
    unless: str = ""
    with_: str = ""


@dataclass(frozen=True, slots=True)
class CredentialType:
    """A kind of credential.

    ``authenticate`` is ``module:function``, imported when `credential test` runs: it takes a `Credential` and the
    settings of the sources that use it, signs in for real and yields `Step` values. Without it there is nothing to
    ask on its own: the connector that uses the credential finds out.
    ``account`` is ``module:function`` as well: it takes a `Credential` and returns whose it is, as text without
    secrets, where the fields that are not secret do not say so. It asks nobody.
    """

    name: str
    description: str
    model: type[Entry]
    secrets: tuple[SecretField, ...]
    authenticate: str | None = None
    account: str | None = None
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        undeclared = set(self.secret_names) - self.model.model_fields.keys()
        if undeclared:
            raise ValueError(f"secrets that the model of {self.name!r} does not have: {', '.join(sorted(undeclared))}")

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The names of the fields that hold references."""
        return tuple(secret.name for secret in self.secrets)

    @property
    def plain_names(self) -> tuple[str, ...]:
        """The names of the other fields of this type, besides those that every entry may have."""
        return tuple(
            name for name in self.model.model_fields if name not in Entry.model_fields and name not in self.secret_names
        )

    def is_required(self, field: str) -> bool:
        """Tell whether an entry is incomplete without the field."""
        return self.model.model_fields[field].is_required()


class AwsEntry(Entry):
    """An access key, long-lived or temporary. ``endpoint_url`` is for stores that are not Amazon's."""

    access_key_id: NonEmptyText
    secret_access_key: NonEmptyText
    session_token: NonEmptyText | None = None
    region: NonEmptyText | None = Field(default=None, description="the region of the buckets, e.g. eu-central-1")
    endpoint_url: Address | None = Field(default=None, description="the address of a store that is not AWS")


class EntraEntry(Entry):
    """An application in Entra ID, signed in by certificate (preferred) or client secret.

    ``thumbprint``, as the portal shows it, stands for the certificate where the PEM text is the private key alone.
    """

    tenant_id: NonEmptyText = Field(description="the directory (tenant) id of the organisation, or its domain")
    client_id: NonEmptyText = Field(description="the application (client) id of the registration")
    cloud: Literal["global", "gcc", "gcc-high", "dod", "china"] = Field(
        default="global", description="where the organisation is: the public cloud, or a national one"
    )
    authority: SafeAddress | None = Field(default=None, description="where to sign in (empty: that of the cloud)")
    graph_url: Address | None = Field(default=None, description="where Microsoft Graph is (empty: that of the cloud)")
    certificate: NonEmptyText | None = None
    certificate_password: NonEmptyText | None = None
    thumbprint: NonEmptyText | None = Field(
        default=None, description="of the certificate, where its PEM text is the private key alone"
    )
    client_secret: NonEmptyText | None = None

    @model_validator(mode="after")
    def _signs_in_one_way(self) -> EntraEntry:
        if (self.certificate is None) == (self.client_secret is None):
            raise ValueError("takes either certificate or client_secret")
        return self


class BasicEntry(Entry):
    """A name and its password."""

    username: NonEmptyText = Field(description="the name to sign in with")
    password: NonEmptyText


class TokenEntry(Entry):
    """A token that is sent as it is."""

    token: NonEmptyText
    header: NonEmptyText = Field(default="Authorization", description="the header that it is sent in")
    scheme: str = Field(default="Bearer", description="the word before it in the header")


class ApiKeyEntry(Entry):
    """A key that is sent in a header of its own."""

    api_key: NonEmptyText
    header: NonEmptyText = Field(default="X-API-Key", description="the header that it is sent in")


class OAuthEntry(Entry):
    """OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

    token_url: SafeAddress = Field(description="where tokens are issued")
    client_id: NonEmptyText = Field(description="who signs in, as the issuer calls it")
    client_secret: NonEmptyText
    scope: str = Field(default="", description="what the token is for, where the issuer asks for it")
    audience: str = Field(default="", description="who takes the token, where the issuer asks for it")
    client_authentication: Literal["basic", "body"] = Field(
        default="basic", description="how the secret is sent: in a header (basic) or in the body"
    )


class RcloneEntry(Entry):
    """A configuration file of rclone, with the remotes and what signs in to them."""

    config_file: LocalFile = Field(description="the absolute path of rclone's configuration file (rclone.conf)")
    config_password: NonEmptyText | None = None


_PROVIDERS = "ingest_tui.credentials.providers"
BUILT_IN = (
    CredentialType(
        "aws",
        "access key for S3 and what speaks like it",
        AwsEntry,
        (
            SecretField("access_key_id", "access key id"),
            SecretField("secret_access_key", "secret access key"),
            SecretField("session_token", "session token (only for temporary keys)"),
        ),
        authenticate=f"{_PROVIDERS}.aws:authenticate",
        account=f"{_PROVIDERS}.aws:account_of",
    ),
    CredentialType(
        "entra",
        "application in Entra ID, for SharePoint; certificate or client secret",
        EntraEntry,
        (
            SecretField("certificate", "certificate with its key, PEM (empty: sign in with a client secret)"),
            SecretField("certificate_password", "password of the certificate's key (empty: none)", with_="certificate"),
            SecretField("client_secret", "client secret", unless="certificate"),
        ),
        authenticate=f"{_PROVIDERS}.entra:authenticate",
        aliases=("sharepoint",),
    ),
    CredentialType("basic", "name and password", BasicEntry, (SecretField("password", "password"),)),
    CredentialType("token", "token sent as it is", TokenEntry, (SecretField("token", "token"),)),
    CredentialType("api_key", "key in a header of its own", ApiKeyEntry, (SecretField("api_key", "key"),)),
    CredentialType(
        "oauth",
        "OAuth 2.0 client credentials",
        OAuthEntry,
        (SecretField("client_secret", "client secret"),),
        authenticate=f"{_PROVIDERS}.oauth:authenticate",
    ),
    CredentialType(
        "rclone",
        "configuration file of rclone, for rclone sources",
        RcloneEntry,
        (SecretField("config_password", "password of the configuration file (empty: it is not encrypted)"),),
    ),
)
_BY_NAME: Mapping[str, CredentialType] = {
    name: declared for declared in BUILT_IN for name in (declared.name, *declared.aliases)
}


def type_names() -> list[str]:
    """Return the names of all types, the aliases left out: ours first, then those of other packages."""
    others = {point.name for point in entry_points(group=ENTRY_POINT_GROUP)} - _BY_NAME.keys()
    return [*(declared.name for declared in BUILT_IN), *sorted(others)]


def credential_type(name: str) -> CredentialType:
    """Return a type by its name or alias.

    Raises `RefusedError` (``credential_type_unknown``) naming the known ones, and `MissingDependencyError` when the
    package that brings it cannot be loaded.
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        try:
            loaded = point.load()
        except Exception as error:  # noqa: BLE001 - whatever a foreign package raises while it is imported
            raise MissingDependencyError(
                f"the credential type {name!r} cannot be loaded ({type(error).__name__})",
                hint=f"install or repair the package that brings {point.value!r}",
            ) from None
        if isinstance(loaded, CredentialType):
            return loaded
        raise MissingDependencyError(
            f"the credential type {name!r} cannot be loaded ({point.value!r} is no CredentialType)",
            hint=f"install or repair the package that brings {point.value!r}",
        )
    raise RefusedError(
        f"unknown credential type '{safe_display(name, limit=64)}'",
        hint=f"known types: {', '.join(type_names())}; is a package missing that brings it?",
        code="credential_type_unknown",
    )
