"""An API with everything that acts on its records, and the requests that its clients sent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api_client import PLATFORM, Api
from botocore.awsrequest import AWSPreparedRequest

from homeport.agentlink.interfaces import interfaces_of
from homeport.agentlink.payload import run_payload
from homeport.controllers.history import HistoryController
from homeport.controllers.interfaces import InterfacesController
from homeport.controllers.retention import RetentionController
from homeport.controllers.runner import Runner
from homeport.controllers.services import ServiceController
from homeport.controllers.targets import TargetsController
from homeport.domain.arn import Arns, Ids
from homeport.store.schema import TASK_DEFINITIONS, TASKS
from homeport.traffic.encode import encode
from homeport.traffic.resources import translate
from homeport.traffic.snapshot import read_snapshot

SERVICE_IDS = {
    "ecs": "ecs",
    "elastic-load-balancing-v2": "elbv2",
    "ec2": "ec2",
    "sts": "sts",
    "cloudwatch-logs": "logs",
    "secrets-manager": "secretsmanager",
    "ssm": "ssm",
}


@dataclass(frozen=True)
class Sent:
    """What a client sent, but for its signature."""

    service: str
    operation: str
    headers: dict[str, str]
    body: bytes


class _HeldBack(Exception):
    """The request is not sent."""


class World:
    """An API whose stored records are acted on as in the product, short of Docker and Envoy.

    ``sent`` is every request of its clients so far, with those that were held back.
    """

    def __init__(self) -> None:
        self.api = Api()
        self.sent: list[Sent] = []
        self._holding = False
        ids, arns = Ids(), Arns(PLATFORM.account_id, PLATFORM.region)
        self._runner = Runner(
            self.api.store,
            [
                ServiceController(ids, arns, 40.0),
                TargetsController(ids),
                InterfacesController(),
                HistoryController(ids, arns),
                RetentionController(),
            ],
        )

    def client(self, service: str) -> Any:
        """An unmodified client whose requests are kept."""
        client = self.api.client(service)
        client.meta.events.register_first("before-send", self._keep)
        return client

    @contextlib.contextmanager
    def held_back(self) -> Iterator[None]:
        """One request within is kept without being sent: what it would end stays there."""
        self._holding = True
        try:
            yield
        except _HeldBack:
            return
        finally:
            self._holding = False

    def act(self) -> None:
        """Everything that reads the records does: controllers, Envoy's state, agents' payloads.

        What a controller can't do it logs; the others raise.
        """
        self._runner.enqueue_everything()
        self._runner.work(1000)
        with self.api.store.transaction() as tx:
            resources = translate(read_snapshot(tx), "127.0.0.1")
            for kind, by_name in resources.by_kind.items():
                for name, source in by_name.items():
                    encode(kind, name, source)
            for task in tx.all(TASKS):
                definition = tx.get(TASK_DEFINITIONS, task.task_definition_arn)
                if definition is not None:
                    run_payload(task, definition, None, interfaces_of(tx, task))

    def close(self) -> None:
        self.api.close()

    def _keep(self, request: AWSPreparedRequest, event_name: str, **_: object) -> None:
        _, service_id, operation = event_name.split(".")
        names = ("Content-Type", "X-Amz-Target")
        headers = {n: _text(request.headers[n]) for n in names if n in request.headers}
        body = request.body or b""
        service = SERVICE_IDS[service_id]
        body = body.encode() if isinstance(body, str) else body
        self.sent.append(Sent(service, operation, headers, body))
        if self._holding:
            raise _HeldBack


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
