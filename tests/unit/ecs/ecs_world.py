"""A control plane in memory for tests: operations in, answers out, time in the test's hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from homeport.controllers.history import HistoryController
from homeport.controllers.runner import Runner
from homeport.controllers.services import ServiceController
from homeport.controllers.targets import TargetsController
from homeport.domain.arn import Arns, Ids
from homeport.domain.cluster import Cluster
from homeport.domain.load_balancing import (
    Action,
    Listener,
    TargetGroup,
    WeightedTargetGroup,
)
from homeport.domain.service import Service
from homeport.domain.session import SessionMint
from homeport.domain.task import Task
from homeport.domain.task_definition import (
    ContainerDefinition,
    FamilyCounter,
    PortMapping,
    TaskDefinition,
)
from homeport.domain.vault import Vault
from homeport.logstore import LogStore
from homeport.objectstore import ObjectStore
from homeport.services import ecs
from homeport.services.call import Call, Handler, Platform, Principal
from homeport.services.events import EventRecorder
from homeport.store import Store
from homeport.store.journal.memory import MemoryJournal
from homeport.store.schema import (
    CLUSTERS,
    CONTAINER_INSTANCES,
    FAMILY_COUNTERS,
    LISTENERS,
    SERVICES,
    TABLES,
    TARGET_GROUPS,
    TASK_DEFINITIONS,
    TASKS,
)
from homeport.wire import model as wire_model
from homeport.wire.errors import ApiError
from homeport.wire.protocols.json import JsonCodec

ACCOUNT, REGION = "123456789012", "us-east-1"
PLATFORM = Platform(
    ACCOUNT, REGION, ("us-east-1a", "us-east-1b", "us-east-1c"), "http://127.0.0.1:4566"
)
ARNS = Arns(ACCOUNT, REGION)
CODEC = JsonCodec()
OPERATIONS: Mapping[str, Handler] = ecs.OPERATIONS
NO_LOGS = LogStore(Path("/nonexistent"))


class World:
    """One store with the cluster ``default`` and the definition ``web:1``; ``now`` is settable."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.store = Store(TABLES, self.journal)
        self.now = 1000.0
        self.store.before_commit(EventRecorder(Ids(), lambda: self.now))
        self.ids = Ids()
        self.runner = Runner(
            self.store,
            [
                ServiceController(self.ids, ARNS, minimum_running_seconds=0.0),
                TargetsController(self.ids),
                HistoryController(self.ids, ARNS),
            ],
            clock=lambda: self.now,
        )
        self.put(CLUSTERS, Cluster(arn=ARNS.ecs("cluster/default"), name="default", created_at=0.0))
        self.define("web")

    def __call__(self, operation: str, **request: Any) -> Any:
        """Run one operation in its own transaction, as the wire would: the request is what the
        model knows of it, and the answer must encode."""
        model = wire_model.load("ecs").operation(operation)
        decoded = CODEC.decoder(model.input_shape)(json.loads(json.dumps(request)))
        assert decoded.keys() == {k for k, v in request.items() if v is not None}
        answer = self._handle(operation, decoded)
        encoder = CODEC.encoder(model.output_shape)
        assert encoder is not None
        json.dumps(encoder(answer))
        return answer

    def _handle(self, operation: str, request: Any) -> Any:
        with self.store.transaction() as tx:
            call = Call(
                tx=tx,
                now=self.now,
                principal=Principal(ARNS.root(), "root", ACCOUNT),
                platform=PLATFORM,
                request_id="request",
                ids=self.ids,
                arns=ARNS,
                sessions=SessionMint(bytes(32)),
                vault=Vault(bytes(32)),
                logs=NO_LOGS,
                objects=ObjectStore(Path("/nowhere")),
            )
            return OPERATIONS[operation](call, request)

    def settle(self) -> None:
        """Let the controllers work until nothing is left to do at this moment."""
        self.runner.enqueue_everything()
        while self.runner.work(100):
            pass
        self.runner.enqueue_everything()
        self.runner.work(100)

    def refused(self, operation: str, **request: Any) -> tuple[str, str]:
        """Code and message of the error that the operation raises; nothing may be stored."""
        revision = self.store.revision
        try:
            self(operation, **request)
        except ApiError as error:
            assert self.store.revision == revision
            return error.code, error.message
        raise AssertionError(f"{operation} was accepted")

    def put(self, table: Any, record: Any) -> Any:
        """Store a record."""
        with self.store.transaction() as tx:
            return tx.put(table, record)

    def task(self, arn: str) -> Task:
        """The task's record."""
        with self.store.transaction() as tx:
            task = tx.get(TASKS, arn)
        assert task is not None
        return task

    def rows(self, table: Any) -> list[Any]:
        """Every record of a table."""
        with self.store.transaction() as tx:
            return tx.all(table)

    def adopt(self, task: Task, service_arn: str, deployment_id: str) -> None:
        """Make a task one of a service's deployment."""
        owned = msgspec.structs.replace(task, service_arn=service_arn, deployment_id=deployment_id)
        self.put(TASKS, owned)

    def service(self, name: str) -> Service:
        """The service's record."""
        with self.store.transaction() as tx:
            service = tx.get(SERVICES, ARNS.ecs(f"service/default/{name}"))
        assert service is not None
        return service

    def define(
        self,
        family: str,
        revision: int = 1,
        *ports: PortMapping,
        document: Mapping[str, object] | None = None,
        container: Mapping[str, object] | None = None,
        **fields: object,
    ) -> TaskDefinition:
        """Register ``family:revision``: container ``web`` (128 cpu, 64 MiB), publishing ``ports``
        (80 on a dynamic host port unless given), and non-essential ``log``."""
        web = {"name": "web", "image": "web:1", **(container or {})}
        values: dict[str, object] = {
            "arn": ARNS.ecs(f"task-definition/{family}:{revision}"),
            "family": family,
            "revision": revision,
            "document": {"containerDefinitions": [web, {"name": "log"}], **(document or {})},
            "containers": (
                ContainerDefinition(
                    name="web",
                    image="web:1",
                    cpu=128,
                    memory=64,
                    port_mappings=ports or (PortMapping(80),),
                ),
                ContainerDefinition(name="log", image="log:1", essential=False, memory=16),
            ),
            "network_mode": "bridge",
            "registered_at": 0.0,
            "registered_by": ARNS.root(),
        }
        definition = TaskDefinition(**(values | fields))  # type: ignore[arg-type]
        self.put(TASK_DEFINITIONS, definition)
        self.put(FAMILY_COUNTERS, FamilyCounter(family, revision))
        return definition

    def register(self, name: str = "a", connected: bool = True, **request: Any) -> str:
        """A host joins (2 cores, 2 GiB); returns its container instance ARN."""
        identity = {
            "instanceId": f"i-{name}",
            "privateIp": "10.0.0.1",
            "availabilityZone": "us-east-1a",
        }
        resources = [
            {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 2048},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]},
            {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
        ]
        answer = self(
            "RegisterContainerInstance",
            **{
                "instanceIdentityDocument": json.dumps(identity),
                "totalResources": resources,
                **request,
            },
        )
        arn: str = answer["containerInstance"]["containerInstanceArn"]
        if connected:
            self.connect(arn)
        return arn

    def connect(self, arn: str, connected: bool = True) -> None:
        """What the agent link does when the instance's websocket comes and goes."""
        with self.store.transaction() as tx:
            instance = tx.get(CONTAINER_INSTANCES, arn)
            assert instance is not None
            tx.put(
                CONTAINER_INSTANCES,
                msgspec.structs.replace(instance, agent_connected=connected),
            )

    def report(self, task_arn: str, status: str, **fields: Any) -> None:
        """The agent reports a state of the task and of both containers."""
        containers = [{"containerName": name, "status": status} for name in ("web", "log")]
        self(
            "SubmitTaskStateChange",
            **{"task": task_arn, "status": status, "containers": containers, **fields},
        )

    def target_group(self, name: str, attached: bool = True, target_type: str = "instance") -> str:
        """A target group, behind a listener unless ``attached`` is False; returns its ARN."""
        arn = ARNS.elbv2(f"targetgroup/{name}/0123456789abcdef")
        self.put(
            TARGET_GROUPS,
            TargetGroup(
                arn=arn,
                name=name,
                protocol="HTTP",
                protocol_version="HTTP1",
                port=80,
                vpc_id="vpc-1",
                target_type=target_type,  # type: ignore[arg-type]
                created_at=0.0,
            ),
        )
        if attached:
            forward = Action("forward", target_groups=(WeightedTargetGroup(arn),))
            self.put(
                LISTENERS,
                Listener(
                    arn=ARNS.elbv2(f"listener/app/{name}/1/2"),
                    load_balancer_arn=ARNS.elbv2(f"loadbalancer/app/{name}/1"),
                    port=80,
                    protocol="HTTP",
                    default_actions=(forward,),
                    created_at=0.0,
                ),
            )
        return arn
