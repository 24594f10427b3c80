"""AWS: ask STS who we are. Whether buckets may be read is seen by the sources that use the credential."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ingest_tui.credentials.credential import RegisteredCredential
from ingest_tui.credentials.steps import Step
from ingest_tui.model.errors import MissingDependencyError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.safe_text import safe_display

_DEFAULT_REGION = "us-east-1"
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 10, 30, 2

_WRONG_KEY = ("the access key id is not known there", "check access_key_id; was the key deleted?")
_WRONG_SECRET = ("the secret access key does not belong to the access key id", "check secret_access_key")
_EXPIRED = ("the session token has expired", "fetch a new one; a command: reference does it at each use")
_WRONG_CLOCK = ("this machine's clock is wrong", "set the clock")
_REFUSALS: Mapping[str, tuple[str, str]] = {
    "InvalidClientTokenId": _WRONG_KEY,
    "InvalidAccessKeyId": _WRONG_KEY,
    "UnrecognizedClientException": _WRONG_KEY,
    "SignatureDoesNotMatch": _WRONG_SECRET,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "InvalidToken": ("the session token is not valid", "check session_token; a long-lived key takes none"),
    "RequestTimeTooSkewed": _WRONG_CLOCK,
    "RequestExpired": _WRONG_CLOCK,
}
_NO_VERDICT = "check the endpoint and the region"
"""The hint of a refusal that a store without STS may have given."""

_DENIED = {"AccessDenied", "AccessDeniedException", "403", "Forbidden"}
_ACTION = re.compile(r"perform:? ([a-z0-9-]{1,32}:[A-Za-z]{1,64})")


_AWS_KEY = re.compile(r"(?:AKIA|ASIA)[A-Z2-7]{16}")
_ACCOUNT_BITS, _LOWER_BITS = 40, 7


def account_of(credential: RegisteredCredential) -> str:
    """Return the account that an access key belongs to; of a store that is not AWS, what stands for its owner.

    The identifiers of AWS keys carry the number of the account, which STS (GetAccessKeyInfo) reads from them as well:
    a rotated key is of the same one. Others say nothing, so that each key is an owner of its own.
    """
    key = credential.require("access_key_id")
    if credential.get("endpoint_url") is None and _AWS_KEY.fullmatch(key):
        bits = int.from_bytes(base64.b32decode(key[4:])[:6], "big") & ((1 << _ACCOUNT_BITS) - 1) << _LOWER_BITS
        return f"{bits >> _LOWER_BITS:012}"
    return short_digest("access key", key, length=20)


def authenticate(credential: RegisteredCredential, uses: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Yield the step sign-in. A key that only sources with an endpoint of their own use is shown to no one else.

    Raises `MissingDependencyError` without boto3.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise MissingDependencyError(
            "signing in to AWS needs the package 'boto3', which is not installed",
            hint='pip install "ingest-tui[s3]"',
        ) from None
    endpoint = credential.get("endpoint_url")
    if endpoint is None and uses and all(use.get("endpoint_url") for use in uses):
        yield Step(
            "sign-in", True, "the key is one of a store that is not AWS; 'ingest-tui source test SOURCE' tries it"
        )
        return
    regions = (str(use["region"]) for use in uses if use.get("region"))
    session = boto3.session.Session(
        aws_access_key_id=credential.require("access_key_id"),
        aws_secret_access_key=credential.require("secret_access_key"),
        aws_session_token=credential.get("session_token"),
        region_name=credential.get("region") or next(regions, _DEFAULT_REGION),
    )
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
    identity = _asked(lambda: session.client("sts", endpoint_url=endpoint, config=config).get_caller_identity())
    if not isinstance(identity, Step):
        yield Step("sign-in", True, f"signed in as {safe_display(str(identity.get('Arn', 'somebody without a name')))}")
    elif endpoint and identity.hint == _NO_VERDICT:
        yield Step("sign-in", True, "the endpoint has no sign-in service; 'ingest-tui source test SOURCE' tries it")
    else:
        yield identity


def _asked(call: Callable[[], Any]) -> Any:
    """Return what STS answers, or the failed step."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return call()
    except ClientError as error:
        answer = error.response.get("Error", {})
        code = safe_display(str(answer.get("Code", "")), limit=64)
        if code in _DENIED:
            named = _ACTION.search(str(answer.get("Message", "")))
            missing = named[1] if named else "sts:GetCallerIdentity"
            return Step("sign-in", False, f"missing: {missing}", "add it to the policy of the user or role")
        message, hint = _REFUSALS.get(code, (f"refused ({code or 'without a code'})", _NO_VERDICT))
        return Step("sign-in", False, message, hint)
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that cannot be
        hint = "check the network, the region and endpoint_url"
        return Step("sign-in", False, f"cannot be asked ({type(error).__name__})", hint)
