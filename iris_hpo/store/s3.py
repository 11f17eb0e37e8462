"""How S3 is asked: how often a request is tried, and for how long an answer is waited for."""

import asyncio
import math
import os
from typing import Any, Final

from iris_hpo.store.answers import check_answers
from iris_hpo.store.patience import make_socket, patience_of

PROTOCOLS: Final = ("s3", "s3a")

_RETRIES: Final = {"mode": "standard", "total_max_attempts": 6}
"""Retries of a request after a transient failure: 5xx, throttling, a lost connection. The waits
grow, to 10 to 20 s in all."""
_LEGACY_ATTEMPTS: Final = 5
_READS: Final = 5
_BROKEN_OFF: Final = (
    "AioReadTimeoutError",
    "ClientPayloadError",
    "IncompleteReadError",
    "ResponseStreamingError",
)
"""Errors of an answer whose content breaks off: botocore retries only what comes before it. They
are from three packages that are optional."""
_CONNECTIONS: Final = 32


def s3_options() -> dict[str, Any]:
    """Settings of s3fs, beside those of the user, which stay in force."""
    from fsspec.config import conf

    config: dict[str, Any] = dict(conf.get("s3", {}).get("config_kwargs", {}))
    config.setdefault("max_pool_connections", _CONNECTIONS)
    if not {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"} & os.environ.keys():
        config.setdefault("retries", _RETRIES)
    if "http_session_cls" not in config and _takes_sockets():
        made = config.get("connector_args", {})
        config["connector_args"] = {"socket_factory": make_socket, **made}
    # Files are small: asking for the size first, to read in parts, would double the requests.
    return {"config_kwargs": config, "max_concurrency": 1, "use_listings_cache": False}


def ask_s3(files: Any, place: str, method: str, *arguments: Any) -> Any:
    """Call a method of s3fs for a store at a place; wait no longer than `longest_wait`."""
    files.retries = 1  # botocore has tried the request again already: the two would multiply
    check_answers(files.s3)
    loop: asyncio.AbstractEventLoop = files.loop
    left = _READS
    while True:
        left -= 1
        try:
            return patience_of(place).result(
                lambda: getattr(files, f"_{method}")(*arguments), loop, longest_wait(files)
            )
        except Exception as error:
            if not left or type(error).__name__ not in _BROKEN_OFF:
                raise


def longest_wait(files: Any) -> float:
    """Seconds for which nothing may move: what all attempts wait for an answer.

    Without end if the user's settings say so, or if what moves cannot be seen.
    """
    config = files.s3.meta.config
    if "socket_factory" not in getattr(config, "connector_args", {}):
        return math.inf
    attempts = (config.retries or {}).get("total_max_attempts", _LEGACY_ATTEMPTS)
    return math.inf if config.read_timeout is None else attempts * config.read_timeout


def _takes_sockets() -> bool:
    """Whether the installed aiobotocore lets its connections be counted; older ones do not."""
    try:
        from aiobotocore.config import AioConfig
        from botocore.exceptions import ParamValidationError
    except ImportError:  # s3fs, which needs them, will say what is missing
        return False
    try:
        AioConfig(connector_args={"socket_factory": make_socket})
    except ParamValidationError:
        return False
    return True
