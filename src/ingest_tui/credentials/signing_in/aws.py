"""AWS: ask STS who we are, then look whether the buckets that use the credential may be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ingest_tui.credentials.credential import Credential
from ingest_tui.credentials.steps import Step
from ingest_tui.model.errors import MissingDependencyError
from ingest_tui.model.naming import safe_display

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
    "NoSuchBucket": ("there is no such bucket", "check the bucket's name and the region"),
}
_DENIED = {"AccessDenied", "AccessDeniedException", "403", "Forbidden"}
_ACTION = re.compile(r"perform:? ([a-z0-9-]{1,32}:[A-Za-z]{1,64})")


def authenticate(credential: Credential, uses: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Yield the step sign-in, and steps list and read for each bucket in the settings of the sources.

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
    keys = {
        "aws_access_key_id": credential.require("access_key_id"),
        "aws_secret_access_key": credential.require("secret_access_key"),
        "aws_session_token": credential.get("session_token"),
    }

    def client(service: str, use: Mapping[str, Any]) -> Any:
        endpoint = use.get("endpoint_url") or credential.get("endpoint_url")
        addressing = use.get("addressing") or "auto"
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            s3={"addressing_style": "path" if endpoint and addressing == "auto" else addressing},
            # Else some stores that are not Amazon's refuse or fail.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        region = use.get("region") or credential.get("region") or _DEFAULT_REGION
        return boto3.session.Session(**keys, region_name=region).client(service, endpoint_url=endpoint, config=config)

    buckets = [use for use in uses if use.get("bucket")]
    signed_in = _sign_in(credential, buckets, client)
    yield signed_in
    if signed_in.ok:
        for use in buckets:
            yield from _try_bucket(client("s3", use), use)


def _sign_in(credential: Credential, buckets: Sequence[Mapping[str, Any]], client: Callable[..., Any]) -> Step:
    """Ask who we are, unless the keys are for other stores than Amazon's alone: then it is not asked at all."""
    endpoint = credential.get("endpoint_url")
    if not endpoint and buckets and all(use.get("endpoint_url") for use in buckets):
        return Step("sign-in", True, "the sources that use it name stores of their own; their buckets tell")
    identity = _tried("sign-in", "sts:GetCallerIdentity", lambda: client("sts", {}).get_caller_identity())
    if not isinstance(identity, Step):
        shown = safe_display(str(identity.get("Arn", "somebody without a name")))
        return Step("sign-in", True, f"signed in as {shown}")
    if endpoint and _is_no_verdict(identity):
        return Step("sign-in", True, "the endpoint has no sign-in service to ask; its buckets tell")
    return identity


def _try_bucket(s3: Any, use: Mapping[str, Any]) -> Iterator[Step]:
    bucket = str(use["bucket"])
    shown = safe_display(bucket)
    payer = {"RequestPayer": "requester"} if use.get("requester_pays") else {}
    place = {"Bucket": bucket, "Prefix": str(use.get("prefix") or ""), **payer}
    listing = _tried("list", "s3:ListBucket", lambda: s3.list_objects_v2(**place, MaxKeys=1), on=shown)
    if isinstance(listing, Step):
        yield listing
        return
    yield Step("list", True, f"bucket {shown} can be listed")
    for item in listing.get("Contents", []):
        get = partial(s3.get_object, Bucket=bucket, Key=item["Key"], **payer)
        opened = _tried("read", "s3:GetObject", get, on=shown)
        if isinstance(opened, Step):
            yield opened
            return
        opened["Body"].close()
        yield Step("read", True, f"objects of bucket {shown} can be read")


def _tried(name: str, action: str, call: Callable[[], Any], *, on: str = "") -> Any:
    """Return what the call returns, or the failed step. ``action`` is the permission that the call needs."""
    from botocore.exceptions import BotoCoreError, ClientError

    where = f" on bucket {on}" if on else ""
    try:
        return call()
    except ClientError as error:
        answer = error.response.get("Error", {})
        code = safe_display(str(answer.get("Code", "")), limit=64)
        if code in _DENIED:
            # AWS names the permission; it may be another one, as kms:Decrypt.
            named = _ACTION.search(str(answer.get("Message", "")))
            missing = named[1] if named else action
            return Step(name, False, f"missing: {missing}{where}", "add it to the policy of the user or role")
        message, hint = _REFUSALS.get(code, (f"refused ({code or 'without a code'})", _NO_VERDICT))
        return Step(name, False, f"{message}{where}", hint)
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint or a bucket's name that cannot be
        hint = "check the network, the region and endpoint_url"
        return Step(name, False, f"cannot be asked ({type(error).__name__}){where}", hint)


_NO_VERDICT = "check the endpoint and the region"


def _is_no_verdict(step: Step) -> bool:
    """Tell whether a store without STS may have answered: neither a known refusal nor a missing permission."""
    return step.hint == _NO_VERDICT
