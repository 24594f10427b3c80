"""Who asks an S3 store, and where it is: credential registry, profile, the usual chain of AWS, or nobody."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ingest_tui.connectors.base import Credential, Credentials
from ingest_tui.model.errors import AuthenticationError, MissingDependencyError, ValidationError

if TYPE_CHECKING:
    from ingest_tui.connectors.s3.config import S3Config

DEFAULT_REGION = "us-east-1"
EXTRA_HINT = 'pip install "ingest-tui[s3]"'
_SHOWN_OF_KEY_ID = 4


@dataclass(frozen=True, slots=True, repr=False)
class AccessKeys:
    """What a request is signed with, by the names that the signers of botocore take. Never shown."""

    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """``keys`` returns what to sign with now, None for anonymous requests; ``shown`` says whose, without a secret."""

    keys: Callable[[], AccessKeys | None]
    shown: str
    region: str
    endpoint_url: str | None


def check_packages() -> None:
    """Raise `MissingDependencyError` when what the connector needs is not installed. Imports nothing."""
    for package in ("urllib3", "botocore", "boto3"):
        if find_spec(package) is None:
            raise MissingDependencyError(
                f"the s3 connector needs the package {package!r}, which is not installed", hint=EXTRA_HINT
            )


def check_type(entry: Credential) -> None:
    """Raise `ValidationError` for a credential that an S3 source cannot sign with."""
    if entry.type != "aws":
        raise ValidationError(
            f"credential {entry.name!r} is of type {entry.type!r}; an s3 source needs one of type 'aws'",
            hint="see credentials.example.json",
            setting="credential",
        )


def resolve_access(config: S3Config, credentials: Credentials | None) -> Access:
    """Return who asks, from the settings; secret references are resolved now.

    Raises `AuthenticationError` when there is no credential, or one that cannot be used.
    """
    if config.anonymous:
        return Access(lambda: None, "nobody (anonymous)", config.region or DEFAULT_REGION, config.endpoint_url)
    if config.credential is None:
        return _from_aws(config.profile, config.region, config.endpoint_url)
    if credentials is None:
        raise ValidationError(
            f"the source names the credential {config.credential!r}, but there are no credentials here",
            hint="'ingest-tui credential add NAME --type TYPE' makes one; --profile or --anonymous need none",
        )
    entry = credentials.get(config.credential)
    check_type(entry)
    region = config.region or entry.get("region")
    endpoint_url = config.endpoint_url or entry.get("endpoint_url")
    profile = entry.get("profile")
    if profile:
        return _from_aws(profile, region, endpoint_url)
    keys = AccessKeys(
        entry.require("access_key_id"), entry.require("secret_access_key"), entry.get("session_token") or None
    )
    shown = f"access key …{keys.access_key[-_SHOWN_OF_KEY_ID:]} of credential {config.credential!r}"
    return Access(lambda: keys, shown, region or DEFAULT_REGION, endpoint_url)


def _from_aws(profile: str | None, region: str | None, endpoint_url: str | None) -> Access:
    """Use what the AWS tools use: environment, profiles, single sign-on, the role of the machine.

    Not through boto3, which builds on the same session: that would only take longer to import.
    """
    check_packages()
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        session = Session(profile=profile)
        settings: dict[str, Any] = session.get_scoped_config()
    except BotoCoreError as error:
        raise AuthenticationError(
            f"the AWS profile {profile!r} cannot be used ({type(error).__name__})",
            hint="'aws configure list-profiles' names those there are",
        ) from None
    whose = f"profile {profile!r}" if profile else "the AWS settings of this machine"
    refused = AuthenticationError(
        f"{whose} give no credentials",
        hint="name one with --credential or --profile, set AWS_ACCESS_KEY_ID, or use --anonymous for a public bucket",
    )
    try:
        found = session.get_credentials()
    except BotoCoreError:
        raise refused from None
    if found is None:
        raise refused

    def keys() -> AccessKeys:
        # Asked for at each request: credentials of a role are renewed behind this call before they expire.
        try:
            frozen = found.get_frozen_credentials()
        except BotoCoreError as error:
            raise AuthenticationError(
                f"{whose} cannot be renewed ({type(error).__name__})", hint="sign in again, e.g. 'aws sso login'"
            ) from None
        return AccessKeys(frozen.access_key, frozen.secret_key, frozen.token)

    shown = f"access key …{keys().access_key[-_SHOWN_OF_KEY_ID:]} of {whose}"
    endpoint_url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    endpoint_url = endpoint_url or settings.get("endpoint_url") or None
    return Access(keys, shown, region or session.get_config_variable("region") or DEFAULT_REGION, endpoint_url)


def aws_endpoint(region: str) -> str:
    """Return the address of S3 in a region of AWS, in the partition that botocore knows it in, or in the first one."""
    check_packages()
    from botocore.loaders import Loader

    partitions = Loader().load_data("partitions")["partitions"]
    of_region = (one for one in partitions if region in one["regions"] or re.match(one["regionRegex"], region))
    return f"https://s3.{region}.{next(of_region, partitions[0])['outputs']['dnsSuffix']}"
