"""Notice that what answers in place of S3 is another server.

Such as the login page of a network, a proxy or a load balancer. The client library takes its 404
for an object that is missing, and its page for the content of one.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

_MARKED: Final = ("GetObject", "HeadObject", "PutObject", "UploadPart")
"""Operations that S3 answers with the object's ETag."""
_XML: Final = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?<(?!!doctype|html|\?xml[^>]*>)", re.IGNORECASE
)
_FAILURE: Final = b"<Error><Code>InternalError</Code><Message>%b</Message></Error>"


class ForeignAnswerError(Exception):
    """An answer is not S3's.

    Parameters
    ----------
    answer
        What was answered, in short.
    """

    def __init__(self, answer: str) -> None:
        super().__init__(
            f"the answer is not S3's ({answer}); check AWS_ENDPOINT_URL, and whether a proxy, a "
            "firewall or a login page answers in its place"
        )


def check_answers(client: Any) -> None:
    """Let a client of S3 check each answer before it is parsed; a second call has no effect.

    What is checked is what no client could do without: an ETag, XML. A header such as
    `x-amz-request-id` alone is no proof, as compatible services leave it out, and neither is the
    type of the content, as some call everything HTML.
    """
    client.meta.events.register("before-parse.s3", _check, unique_id=__name__)


def _check(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    status, headers = response_dict["status_code"], response_dict["headers"]
    body = response_dict["body"]
    if operation_model.http["method"] == "HEAD" and status >= 300:
        return  # it has no content
    if status < 300 and operation_model.name in _MARKED:
        is_foreign = "etag" not in headers or _is_page(headers)
    else:
        is_empty = status != 404 and not body  # S3 says what is missing: object or bucket
        is_foreign = isinstance(body, bytes) and not is_empty and not _XML.match(body)
    if is_foreign and status >= 500:
        # Some are for a moment, and botocore makes one of a page with 200; both are tried again.
        response_dict["body"] = _FAILURE % str(ForeignAnswerError("a page")).encode()
    elif is_foreign:
        kind = headers.get("content-type")
        raise ForeignAnswerError(f"HTTP {status}" + (f", {kind}" if kind else ""))


def _is_page(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a page of a web server, which may have an ETag too."""
    is_html = headers.get("content-type", "").lower().startswith("text/html")
    return is_html and not any(name.lower().startswith("x-amz") for name in headers)
