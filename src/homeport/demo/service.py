"""The demo's service: made, looked at, changed and deleted through the public API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .control_plane import ControlPlane, free_port
from .waiting import until

NAME = "web"
TASKS = 2
HEALTH_CHECK_SECONDS = 5
DRAIN_SECONDS = "2"
SETTLE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """A task as the API shows it; ``health`` is its target's state."""

    task_id: str
    revision: str
    status: str
    instance: str
    host_port: int | None
    health: str
    container_id: str

    @property
    def host(self) -> str:
        """Its host name, as Docker gives it to a container of a bridge network."""
        return self.container_id[:12]


class WebService:
    """Names and ARNs of what was made."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._target_group = ""
        self._load_balancer = ""
        self._created = False
        self.url = ""
        self.dns_url = ""

    async def wait_for_host(self) -> None:
        """Until the local agent has joined the cluster."""

        async def look() -> tuple[bool | None, str]:
            cluster = (
                await self._plane.call("ecs", "describe_clusters", clusters=[self._plane.cluster])
            )["clusters"][0]
            count = cluster["registeredContainerInstancesCount"]
            return (True if count else None), f"{count} container instances"

        await until("this machine joins the cluster", look, 30, self._plane.log)

    async def register(self, image: str, version: str) -> str:
        """A revision of the task definition; gives ``web:N``."""
        container = {
            "name": "web",
            "image": image,
            "cpu": 64,
            "memory": 32,
            "portMappings": [{"containerPort": 80}],
            "environment": [{"name": "VERSION", "value": version}],
            "stopTimeout": 5,
        }
        answer = await self._plane.call(
            "ecs", "register_task_definition", family=NAME, containerDefinitions=[container]
        )
        return f"{NAME}:{answer['taskDefinition']['revision']}"

    async def create(self, definition: str) -> None:
        """Load balancer, target group, listener, service."""
        call = self._plane.call
        subnets = (await call("ec2", "describe_subnets"))["Subnets"]
        balancer = (
            await call(
                "elbv2",
                "create_load_balancer",
                Name=NAME,
                Subnets=[subnet["SubnetId"] for subnet in subnets[:2]],
            )
        )["LoadBalancers"][0]
        self._load_balancer = balancer["LoadBalancerArn"]
        await self._create_target_group(subnets[0]["VpcId"])
        port = free_port()
        await call(
            "elbv2",
            "create_listener",
            LoadBalancerArn=self._load_balancer,
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self._target_group}],
        )
        self.url = f"http://127.0.0.1:{port}/"
        self.dns_url = f"http://{balancer['DNSName']}:{port}/"
        target = {"targetGroupArn": self._target_group, "containerName": "web", "containerPort": 80}
        await self._plane.ecs(
            "create_service",
            serviceName=NAME,
            taskDefinition=definition,
            desiredCount=TASKS,
            loadBalancers=[target],
        )
        self._created = True

    async def _create_target_group(self, vpc_id: str) -> None:
        group = await self._plane.call(
            "elbv2",
            "create_target_group",
            Name=NAME,
            Protocol="HTTP",
            Port=80,
            VpcId=vpc_id,
            HealthCheckIntervalSeconds=HEALTH_CHECK_SECONDS,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
        )
        self._target_group = group["TargetGroups"][0]["TargetGroupArn"]
        await self._plane.call(
            "elbv2",
            "modify_target_group_attributes",
            TargetGroupArn=self._target_group,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": DRAIN_SECONDS}],
        )

    async def update(self, definition: str) -> None:
        """Roll to a revision."""
        await self._plane.ecs("update_service", service=NAME, taskDefinition=definition)

    async def tasks(self) -> list[TaskSeen]:
        """Every task that has not stopped, those that still drain too, with target health."""
        tasks: dict[str, Any] = {}
        for desired in ("RUNNING", "STOPPED"):
            listed = await self._plane.ecs("list_tasks", serviceName=NAME, desiredStatus=desired)
            if arns := listed["taskArns"]:  # a page: as many as DescribeTasks takes
                described = (await self._plane.ecs("describe_tasks", tasks=arns))["tasks"]
                tasks |= {task["taskArn"]: task for task in described}
        health = await self._health()
        seen = (_seen(task, health) for _, task in sorted(tasks.items()))
        return [task for task in seen if task.status != "STOPPED"]

    async def _health(self) -> dict[int, str]:
        answer = await self._plane.call(
            "elbv2", "describe_target_health", TargetGroupArn=self._target_group
        )
        return {
            d["Target"]["Port"]: d["TargetHealth"]["State"]
            for d in answer["TargetHealthDescriptions"]
        }

    async def settled(self, definition: str, without: str = "") -> list[TaskSeen]:
        """Until exactly ``TASKS`` healthy tasks of ``definition`` run, and nothing else.

        ``without``: a task id that must be gone.
        """
        return await until(
            f"{TASKS} healthy tasks of {definition}",
            lambda: self._look(definition, without),
            SETTLE_SECONDS,
            self._plane.log,
        )

    async def _look(self, definition: str, without: str) -> tuple[list[TaskSeen] | None, str]:
        tasks = await self.tasks()
        service = (await self._plane.ecs("describe_services", services=[NAME]))["services"][0]
        states = ", ".join(f"{t.revision} {t.status} {t.health}" for t in tasks)
        settled = (
            len(tasks) == TASKS
            and all(t.status == "RUNNING" and t.health == "healthy" for t in tasks)
            and all(t.revision == definition and t.task_id != without for t in tasks)
            and [d["rolloutState"] for d in service["deployments"]] == ["COMPLETED"]
        )
        return (tasks if settled else None), states or "no task"

    async def delete(self) -> None:
        """The service and its tasks, the load balancer, the target group: what there is."""
        if self._created:
            await self._plane.ecs("delete_service", service=NAME, force=True)
            await until("every task has stopped", self._look_gone, 60, self._plane.log)
        if self._load_balancer:
            await self._plane.call(
                "elbv2", "delete_load_balancer", LoadBalancerArn=self._load_balancer
            )
        if self._target_group:
            await self._plane.call(
                "elbv2", "delete_target_group", TargetGroupArn=self._target_group
            )

    async def _look_gone(self) -> tuple[bool | None, str]:
        service = (await self._plane.ecs("describe_services", services=[NAME]))["services"][0]
        left = service["runningCount"] + service["pendingCount"]
        gone = service["status"] == "INACTIVE"
        return (True if gone else None), f"{left} tasks of a service that is {service['status']}"


def _seen(task: Any, health: dict[int, str]) -> TaskSeen:
    container = task["containers"][0]
    bindings = container.get("networkBindings") or [{}]
    port = bindings[0].get("hostPort")
    return TaskSeen(
        task_id=task["taskArn"].rsplit("/", 1)[-1],
        revision=task["taskDefinitionArn"].rsplit("/", 1)[-1],
        status=task["lastStatus"],
        instance=(task.get("containerInstanceArn") or "").rsplit("/", 1)[-1][:8],
        host_port=port,
        health=health.get(port, "-") if port else "-",
        container_id=container.get("runtimeId", ""),
    )
