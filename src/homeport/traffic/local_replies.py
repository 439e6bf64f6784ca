"""The answers a load balancer makes itself, looking as an ALB's (pure).

``Server: awselb/2.0``, a small HTML page, and 502 where no target gave an answer. The pages of
redirects and fixed responses are their own: those carry no Envoy response flag and so match
no mapper here. Source: "Troubleshoot your Application Load Balancers", HTTP errors.
"""

from __future__ import annotations

from collections.abc import Sequence

from .conditions import Json


def overwrite(name: str, value: str) -> Json:
    """A header to set, whatever it was."""
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


SERVER: Json = overwrite("server", "awselb/2.0")
PHRASES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Time-out",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    505: "HTTP Version Not Supported",
}
# Connect failed, reset, closed: Envoy says 503, an ALB 502. "No healthy upstream" stays 503.
NO_ANSWER_FLAGS = ("UF", "UC", "UR", "LR")


def page(code: int) -> str:
    """The HTML page of an answer made by the load balancer."""
    title = f"{code} {PHRASES[code]}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )


def local_reply_config() -> Json:
    """HttpConnectionManager.local_reply_config."""
    return {
        "mappers": [
            _mapper(503, 503, ("UH",)),
            _mapper(503, 502, NO_ANSWER_FLAGS),
            *(_mapper(code, code) for code in PHRASES),
        ]
    }


def _mapper(made: int, answered: int, flags: Sequence[str] = ()) -> Json:
    is_code: Json = {
        "status_code_filter": {
            "comparison": {"value": {"default_value": made, "runtime_key": "homeport.unused"}}
        }
    }
    has_flag: Json = {"response_flag_filter": {"flags": list(flags)}}
    return {
        "filter": {"and_filter": {"filters": [is_code, has_flag]}},
        "status_code": answered,
        "headers_to_add": [SERVER],
        "body_format_override": {
            "text_format_source": {"inline_string": page(answered)},
            "content_type": "text/html",
        },
    }
