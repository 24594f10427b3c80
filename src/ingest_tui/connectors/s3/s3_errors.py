"""What an S3 store may answer instead of what was asked for, and what that means for a source and for an item.

Messages name a code that the store gave, never its text: that may quote keys, tokens or signatures.
Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from ingest_tui.model.errors import (
    AuthenticationError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.transport.retry_after import seconds_to_wait

_CODE = re.compile(r"[A-Za-z0-9._-]{1,80}\Z")
_REGION = re.compile(r"[a-z0-9-]{1,64}\Z")
_THROTTLED_STATUS = {429, 503, 509}
_THROTTLED = {
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequests",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "ServiceUnavailable",
    "PriorRequestNotComplete",
}
_PASSING = {"InternalError", "RequestTimeout", "RequestTimeoutException", "OperationAborted", "ServerBusy"}
_BAD_CREDENTIAL = {
    "InvalidAccessKeyId": "the store does not know the access key",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "ExpiredToken": "the session token has expired",
    "ExpiredTokenException": "the session token has expired",
    "InvalidToken": "the session token is not valid",
    "TokenRefreshRequired": "the session token has to be renewed",
    "AuthorizationHeaderMalformed": "the store does not understand the signature",
    "InvalidSecurity": "the credential is not valid",
    "NotSignedUp": "the account may not use S3",
    "AccountProblem": "there is a problem with the account",
    "InvalidPayer": "the account may not be used to pay",
}
_UNREADABLE_ENCRYPTION = ("KMS.", "Kms", "KMSKey", "InvalidEncryption")
_FORBIDDEN_STATUS, _UNAUTHORIZED_STATUS, _SERVER_ERRORS, _NOT_IMPLEMENTED = 403, 401, 500, 501
_GONE = {"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}  # the last one is a delete marker


class NetworkFailure(Exception):  # noqa: N818 - not shown: becomes an IngestError by what was asked for
    """No whole answer came. ``what`` is a sentence for people; ``transient`` says whether it may go by itself."""

    def __init__(self, what: str, hint: str = "", *, transient: bool = True) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint or "check the network and --endpoint-url"
        self.transient = transient


class StoreFailure(Exception):  # noqa: N818 - not shown: becomes an IngestError by what was asked for
    """The store answered with an error. ``mentions`` are the words of interest that its message holds."""

    def __init__(
        self, status: int, code: str, *, region: str | None, retry_after: float | None, mentions: frozenset[str]
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.region = region
        self.retry_after = retry_after
        self.mentions = mentions

    @property
    def throttled(self) -> bool:
        """Whether the store asks us to slow down."""
        return self.code in _THROTTLED or self.status in _THROTTLED_STATUS

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later, by itself."""
        if self.status == _NOT_IMPLEMENTED:
            return False
        return self.throttled or self.status >= _SERVER_ERRORS or self.code in _PASSING

    @property
    def of_credential(self) -> bool:
        """Whether the store refuses who we are, rather than what we ask."""
        return self.code in _BAD_CREDENTIAL or (self.status == _UNAUTHORIZED_STATUS and not self.transient)


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> StoreFailure:
    """Return what an answer with an error says."""
    code, region, message = "", headers.get("x-amz-bucket-region"), ""
    try:
        for element in ET.fromstring(body).iter() if body else ():  # noqa: S314 - expat bounds entities
            name = element.tag.rpartition("}")[2]
            text = (element.text or "").strip()
            if name == "Code":
                code = code or text
            elif name == "Region":
                region = text or region
            elif name == "Message":
                message = text
    except ET.ParseError:
        pass
    lowered = message.lower()
    mentions = frozenset(word for word in ("kms", "server side encryption", "encrypted") if word in lowered)
    return StoreFailure(
        status,
        code if _CODE.match(code) else f"HTTP {status}",
        region=region if region and _REGION.match(region) else None,
        retry_after=seconds_to_wait(headers.get("retry-after")),
        mentions=mentions,
    )


class Explainer:
    """Turns failures into errors for people; knows whom and what was asked."""

    def __init__(self, bucket: str, prefix: str, *, anonymous: bool, versions: bool) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._anonymous = anonymous
        self._versions = versions

    def of_source(self, failure: StoreFailure | NetworkFailure) -> SourceAccessError:
        """Return the error of a listing, or of anything else that concerns the whole source."""
        if isinstance(failure, NetworkFailure):
            if failure.transient:
                return TransientSourceError(failure.what, hint=failure.hint, code="network")
            return SourceAccessError(failure.what, hint=failure.hint, code="network")
        if failure.throttled:
            return TransientSourceError(
                f"the store asks to slow down ({failure.code})", retry_after=failure.retry_after, code="throttled"
            )
        if failure.transient:
            message = f"the store fails for now ({failure.code})"
            return TransientSourceError(message, retry_after=failure.retry_after, code="network")
        return self._of_refusal(failure)

    def _of_refusal(self, failure: StoreFailure) -> SourceAccessError:
        if failure.code == "RequestTimeTooSkewed":
            return SourceAccessError(
                "the clock of this machine differs too much from that of the store",
                hint="set the clock, e.g. with NTP",
                code="clock_skew",
            )
        if failure.of_credential:
            what = _BAD_CREDENTIAL.get(failure.code, "the store refuses the credential")
            hint = "renew it, then 'ingest-tui source test SOURCE'"
            return AuthenticationError(f"{what} ({failure.code})", hint=hint)
        if failure.code == "NoSuchBucket":
            return SourceAccessError(
                f"there is no bucket {self._bucket!r}",
                hint="check --bucket, --region and --endpoint-url; nothing was deleted",
                code="not_found",
            )
        if failure.status == _FORBIDDEN_STATUS:
            return SourceAccessError(
                f"no permission to list bucket {self._bucket!r} ({failure.code})",
                hint=self._list_hint(),
                code="forbidden",
            )
        return SourceAccessError(
            f"the store refuses to list bucket {self._bucket!r} ({failure.code})",
            hint="check --endpoint-url, --region and --bucket; nothing was deleted",
        )

    def _list_hint(self) -> str:
        if self._anonymous:
            return "the bucket is not public; name a --credential or --profile; nothing was deleted"
        action = "s3:ListBucketVersions" if self._versions else "s3:ListBucket"
        return f"allow {action} on arn:aws:s3:::{self._bucket}; nothing was deleted"

    def of_item(self, failure: StoreFailure | NetworkFailure, uri: str) -> ItemError | SourceAccessError:  # noqa: PLR0911 - one return for each meaning
        """Return the error of a GET."""
        if isinstance(failure, NetworkFailure):
            if failure.transient:
                return TransientItemError(failure.what, hint=failure.hint, code="network", uri=uri)
            return self.of_source(failure)
        if failure.throttled:
            message = f"the store asks to slow down ({failure.code})"
            return TransientItemError(message, retry_after=failure.retry_after, code="throttled", uri=uri)
        if failure.code == "InvalidObjectState":
            return archived_error(uri)
        if failure.code.startswith(_UNREADABLE_ENCRYPTION) or "server side encryption" in failure.mentions:
            return ItemError(
                f"it is encrypted with a key that is not available here ({failure.code})",
                hint="SSE-C objects cannot be read; for SSE-KMS the key must be enabled and kms:Decrypt allowed",
                code="encrypted",
                uri=uri,
            )
        if failure.transient:
            message = f"the store fails for now ({failure.code})"
            return TransientItemError(message, retry_after=failure.retry_after, code="network", uri=uri)
        if failure.of_credential or failure.code in {"NoSuchBucket", "RequestTimeTooSkewed"}:
            return self.of_source(failure)
        return self._of_refused_item(failure, uri)

    def _of_refused_item(self, failure: StoreFailure, uri: str) -> ItemError:
        if failure.status == 404 or failure.code in _GONE:  # noqa: PLR2004
            return ItemError("it is gone since it was listed", code="not_found", uri=uri)
        if failure.status in {409, 412, 416}:
            return changed_error(uri)
        if failure.status == _FORBIDDEN_STATUS:
            action = "s3:GetObjectVersion" if self._versions else "s3:GetObject"
            decrypt = " and kms:Decrypt on its key" if "kms" in failure.mentions else ""
            return ItemError(
                f"no permission to read it ({failure.code})",
                hint=f"allow {action} on arn:aws:s3:::{self._bucket}/{self._prefix}*{decrypt}",
                code="forbidden",
                uri=uri,
            )
        return ItemError(f"the store refuses to give it ({failure.code})", code="unreadable", uri=uri)


def changed_error(uri: str) -> ItemError:
    """Return the error of an object that is no longer the one that was listed."""
    return ItemError(
        "the object changed after it was listed",
        code="changed_while_read",
        hint="the next sync takes it again; --versions fetches what was listed",
        uri=uri,
    )


def archived_error(uri: str) -> ItemError:
    """Return the error of an object that has to be restored before it can be read."""
    return ItemError(
        "it lies in an archive and is not restored",
        code="archived",
        hint="restore it, e.g. with 'aws s3api restore-object'; the next sync takes it then",
        uri=uri,
    )
