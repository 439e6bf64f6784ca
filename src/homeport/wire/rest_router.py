"""Which operation of a REST service a method and a path are for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .model import Service
from .protocols.rest import uri_pattern


@dataclass(frozen=True)
class _RestRoute:
    operation: str
    method: str
    pattern: re.Pattern[str]
    query: frozenset[tuple[str, str]]
    literal_length: int


class RestRoutes:
    """The routes of one service, the most specific first."""

    def __init__(self, service: Service) -> None:
        routes = [self._route(service, name) for name in sorted(service.operation_names)]
        self._routes = sorted(routes, key=lambda r: (-len(r.query), -r.literal_length))

    @staticmethod
    def _route(service: Service, name: str) -> _RestRoute:
        http = service.operation(name).http
        path, _, query = str(http.get("requestUri", "/")).partition("?")
        return _RestRoute(
            operation=name,
            method=str(http.get("method", "POST")),
            pattern=uri_pattern(path),
            query=frozenset(parse_qsl(query, keep_blank_values=True)),
            literal_length=len(re.sub(r"\{[^}]+\}", "", path)),
        )

    def match(self, method: str, path: str, query_string: str) -> str | None:
        """The operation's name, or None."""
        given = frozenset(parse_qsl(query_string, keep_blank_values=True, max_num_fields=1000))
        for route in self._routes:
            if route.method == method and route.query <= given and route.pattern.fullmatch(path):
                return route.operation
        return None
