"""The events of a Homeport, read from outside: ``GET /homeport/events``, signed like any request.

Called by ``homeport events``. Following asks again every second for what came after.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ConnectionError, HTTPClientError
from botocore.httpsession import URLLib3Session

Event = Mapping[str, Any]  # as EventBridge has it

TIMEOUT_SECONDS = 10
EVERY_SECONDS = 1.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 1.0, 30.0


class EventsError(Exception):
    """They can't be read, in words for the person who asked."""


class Unreachable(EventsError):
    """Nobody answers at the endpoint; somebody may later."""


def newest(number: int) -> Iterator[Event]:
    """The newest events, oldest first. Raises EventsError."""
    for events, _ in _pages({"last": str(number)}):
        if not events:
            return
        yield from events


def follow(number: int) -> Iterator[Event]:
    """The newest events and then what comes, for ever. A Homeport that is away is waited for once
    it has answered; else EventsError."""
    for events, _ in _pages({"last": str(number)}, patient=True):
        yield from events
        if not events:
            time.sleep(EVERY_SECONDS)


def _pages(query: Mapping[str, str], *, patient: bool = False) -> Iterator[tuple[list[Event], str]]:
    client, delay, answered = _Client(), FIRST_RETRY_SECONDS, False
    while True:
        try:
            document = client.get({**query, "maxResults": "1000"})
        except Unreachable:
            if not patient or not answered:
                raise
            time.sleep(delay)
            delay = min(2 * delay, LAST_RETRY_SECONDS)
            continue
        answered, delay = True, FIRST_RETRY_SECONDS
        query = {"nextToken": document["NextToken"]}
        yield document["Events"], document["NextToken"]


class _Client:
    def __init__(self) -> None:
        self._endpoint = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
        session = botocore.session.Session()
        credentials = session.get_credentials()
        if not self._endpoint or credentials is None:
            raise EventsError('In this shell first: eval "$(homeport env)"')
        self._auth = SigV4Auth(credentials, "events", session.get_config_variable("region"))
        self._http = URLLib3Session(timeout=TIMEOUT_SECONDS)

    def get(self, query: Mapping[str, str]) -> Any:
        url = f"{self._endpoint}/homeport/events?{urlencode(query)}"
        request = AWSRequest(method="GET", url=url)
        self._auth.add_auth(request)
        try:
            answer = self._http.send(request.prepare())
        except (ConnectionError, HTTPClientError) as error:
            raise Unreachable(f"{self._endpoint} does not answer: {error}") from error
        except BotoCoreError as error:
            raise EventsError(str(error)) from error
        document = json.loads(answer.content)
        if answer.status_code != 200:
            raise EventsError(document.get("message") or document.get("__type"))
        return document
