"""Redirect actions as Envoy routes (pure).

Source: "Redirect actions", ALB user guide: the reserved keywords ``#{protocol}``, ``#{host}``,
``#{port}``, ``#{path}`` (without its leading slash) and ``#{query}``; the Location always
carries the port. Envoy's redirect keeps the host (without its port) and the query; where the
query is rewritten around a kept path, the Location is written as a header, which can't strip
the port of the Host header: so together with a kept host that is refused with its reason.
"""

from __future__ import annotations

import re

from homeport.domain.load_balancing import Action, Listener

from .conditions import Json, Unsupported
from .local_replies import SERVER, overwrite

CODES = {"HTTP_301": "MOVED_PERMANENTLY", "HTTP_302": "FOUND"}
KEPT_PATH = "/#{path}"


def redirect(action: Action, listener: Listener) -> Json:
    """The route (without its match) of a redirect. Raises Unsupported."""
    protocol = _static(action.protocol or "#{protocol}", listener).lower()
    host = _static(action.host or "#{host}", listener)
    port = int(_static(action.port or "#{port}", listener))
    path = _static(action.path or KEPT_PATH, listener)
    query = _static(action.query, listener)
    if query in ("", "#{query}") or "#{" not in path + query:
        location: Json = {"scheme_redirect": protocol, "port_redirect": port}
        location |= _host(host) | _path(path, query)
        location["response_code"] = CODES[action.status_code]
        return {"redirect": location, "response_headers_to_add": [SERVER]}
    start = f"{protocol}://{_literal(host, 'host')}:{port}"
    return {
        "direct_response": {"status": int(action.status_code.removeprefix("HTTP_"))},
        "response_headers_to_add": [
            SERVER,
            overwrite("location", start + _formatted(f"{path}?{query}")),
        ],
    }


def _host(host: str) -> Json:
    return {} if host == "#{host}" else {"host_redirect": _literal(host, "host")}


def _path(path: str, query: str) -> Json:
    if query not in ("", "#{query}"):
        return {"path_redirect": f"{path}?{query}"}
    answer: Json = {} if query else {"strip_query": True}
    if path == KEPT_PATH:
        return answer
    if "#{path}" not in path:
        return answer | {"path_redirect": _literal(path, "path")}
    literals = [_literal(part, "path").replace("\\", "\\\\") for part in path.split("#{path}")]
    rewrite = {"pattern": {"regex": "^/(.*)$"}, "substitution": r"\1".join(literals)}
    return answer | {"regex_rewrite": rewrite}


def _formatted(template: str) -> str:
    """A path and query as an Envoy header value."""
    text = template.replace("%", "%%")
    text = text.replace(KEPT_PATH, "%PATH(NQ)%").replace("#{query}", "%QUERY_PARAMS(ORIG)%")
    return _literal(text, "path or query")


def _static(template: str, listener: Listener) -> str:
    known = {"#{port}": str(listener.port), "#{protocol}": listener.protocol}
    return re.sub(r"#\{(?:port|protocol)\}", lambda m: known[m.group()], template)


def _literal(text: str, part: str) -> str:
    if "#{" in text:
        raise Unsupported(f"a redirect with '{text}' as its {part} is not served")
    return text
