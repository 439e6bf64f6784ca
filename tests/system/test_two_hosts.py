"""Tasks with interfaces on two hosts: they talk by address, as far as their groups allow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from control_plane import ControlPlane, eventually
from hosts import Host, Network, hosts, network
from load import Load
from tasks import Running, container, register, run
from test_awsvpc import WEB, address, allow, security_group
from test_awsvpc import network as placed_in
from web_service import SERVE_WHOLE, create_web_service
from web_service import register as register_web

pytestmark = pytest.mark.docker

CLOCK = """mkdir -p /tmp/w/cgi-bin
printf '#!/bin/sh\\necho; while echo tick; do sleep 0.05; done\\n' > /tmp/w/cgi-bin/clock
chmod +x /tmp/w/cgi-bin/clock
"""


@dataclass
class Two:
    """Two hosts of one cluster."""

    plane: ControlPlane
    one: Host
    other: Host
    network: Network

    def start(self, host: Host, group: str, command: str, **more: object) -> Running:
        """An awsvpc task on a host, running."""
        definition = register(self.plane, container("main", command, **more), networkMode="awsvpc")
        answer = self.plane.client("ecs").start_task(
            cluster=self.plane.cluster,
            taskDefinition=definition,
            containerInstances=[host.arn],
            networkConfiguration=placed_in(self.plane, group),
        )
        assert not answer["failures"], answer["failures"]
        task = Running(self.plane, answer["tasks"][0]["taskArn"])
        task.reaches("RUNNING", 60)
        return task


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    directory = tmp_path_factory.mktemp("two")
    with network() as on:
        plane = ControlPlane(directory, host=on.address)
        try:
            plane.start()
            plane.wait_for_instance()
            with hosts(on, plane, directory, 2) as (one, other):
                yield Two(plane, one, other, on)
        finally:
            plane.clean_up()


def fetched(host: Host, client: Running, target: str) -> bool:
    """One real connection from inside a task, 1 s long at most."""
    command = f"timeout 1 wget -q -O - http://{target}/ || true"
    return "hello" in host.inside(client.arn, "main", command)


def test_tasks_on_two_hosts_talk_by_address_and_only_whom_the_group_allows(two: Two) -> None:
    plane = two.plane
    guarded, friends, strangers = (security_group(plane) for _ in range(3))
    allow(plane, guarded, UserIdGroupPairs=[{"GroupId": friends}])
    web = two.start(two.one, guarded, WEB, portMappings=[{"containerPort": 80}])
    friend = two.start(two.other, friends, "sleep 600")
    stranger = two.start(two.other, strangers, "sleep 600")
    neighbour = two.start(two.one, friends, "sleep 600")
    target = address(web)
    eventually("across hosts", lambda: fetched(two.other, friend, target), 20)
    assert fetched(two.one, neighbour, target)
    assert not fetched(two.other, stranger, target)
    for task in (web, friend, stranger, neighbour):
        task.stop()


def test_a_revoked_rule_cuts_an_established_connection(two: Two) -> None:
    plane = two.plane
    guarded, friends = security_group(plane), security_group(plane)
    permissions = allow(plane, guarded, UserIdGroupPairs=[{"GroupId": friends}])
    web = two.start(two.one, guarded, f"{CLOCK}{WEB}", portMappings=[{"containerPort": 80}])
    friend = two.start(two.other, friends, "sleep 600")
    target = address(web)
    eventually("across hosts", lambda: fetched(two.other, friend, target), 20)
    container_id = two.other.container(friend.arn, "main")
    listen = f"wget -q -O /tmp/heard http://{target}/cgi-bin/clock"
    two.other.docker("exec", "--detach", container_id, "sh", "-c", listen)

    def heard() -> int:
        return int(two.other.inside(friend.arn, "main", "wc -c < /tmp/heard || echo 0"))

    first = eventually("the stream flows", heard, 20)
    eventually("it goes on", lambda: heard() > first, 20)
    plane.client("ec2").revoke_security_group_ingress(GroupId=guarded, IpPermissions=permissions)
    eventually("nothing more is heard", lambda: stands_still(heard), 20, every=0.5)
    for task in (web, friend):
        task.stop()


def stands_still(heard: Callable[[], int]) -> bool:
    """Whether a stream of twenty lines a second brings nothing in a second."""
    before = heard()
    time.sleep(1.0)
    return heard() == before


def test_a_load_balancer_reaches_the_tasks_of_every_host(two: Two) -> None:
    """Its own group lets it in on hosts it does not run on; an update loses no request."""
    plane = two.plane
    balancers, guarded = security_group(plane), security_group(plane)
    allow(plane, guarded, UserIdGroupPairs=[{"GroupId": balancers}])
    service = create_web_service(
        plane,
        name="every-host",
        desired_count=3,
        command=SERVE_WHOLE,
        network=placed_in(plane, guarded),
        security_groups=[balancers],
        placementConstraints=[{"type": "distinctInstance"}],
        minimum=50,
        maximum=100,
    )
    assert len({task["containerInstanceArn"] for task in service.tasks()}) == 3
    with Load(service.url, rate=100) as load:
        eventually("traffic flows", lambda: load.bodies["v1"] > 100)
        definition = register_web(plane, "v2", service.name, SERVE_WHOLE, network_mode="awsvpc")
        plane.client("ecs").update_service(
            cluster=plane.cluster, service=service.name, taskDefinition=definition
        )
        service.wait_completed()
        eventually("every host answers", lambda: load.bodies["v2"] > 100)
    assert load.failures == []
    plane.client("ecs").delete_service(cluster=plane.cluster, service=service.name, force=True)


def test_a_task_of_another_host_logs_to_the_control_plane(two: Two) -> None:
    """That host's Engine reaches the API, and its agent's address for credentials, by itself."""
    group = "/test/two-hosts"
    logs = two.plane.client("logs")
    logs.create_log_group(logGroupName=group)
    options = {"awslogs-group": group, "awslogs-region": "us-east-1", "mode": "blocking"}
    logging = {"logDriver": "awslogs", "options": options}
    command = "echo hello from the other host; sleep 600"
    definition = register(two.plane, container("main", command, logConfiguration=logging))
    started = two.plane.client("ecs").start_task(
        cluster=two.plane.cluster, taskDefinition=definition, containerInstances=[two.other.arn]
    )
    task = Running(two.plane, started["tasks"][0]["taskArn"])
    task.reaches("RUNNING", 60)

    def lines() -> list[str]:
        return [e["message"] for e in logs.filter_log_events(logGroupName=group)["events"]]

    assert eventually("the line is there", lines, 30) == ["hello from the other host"]
    task.stop()
    task.reaches("STOPPED", 60)


def test_a_host_that_is_given_to_the_platform_runs_fargate_tasks(two: Two) -> None:
    plane, ecs = two.plane, two.plane.client("ecs")
    mine = ecs.list_container_instances(
        cluster=plane.cluster, filter=f"not(attribute:host == {two.one.name})"
    )["containerInstanceArns"]
    given = {"name": "homeport.platform-capacity", "value": "only", "targetId": two.one.arn}
    ecs.put_attributes(cluster=plane.cluster, attributes=[given])
    ecs.update_container_instances_state(
        cluster=plane.cluster, containerInstances=mine, status="DRAINING"
    )
    try:
        definition = register(
            plane,
            container("main", WEB),
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
        )
        task = run(
            plane,
            definition,
            launchType="FARGATE",
            networkConfiguration=placed_in(plane, security_group(plane)),
        )
        seen = task.reaches("RUNNING", 60)
        assert "containerInstanceArn" not in seen
        found = two.one.container(task.arn, "main")
        parent = two.one.docker("inspect", "--format", "{{.HostConfig.CgroupParent}}", found)
        assert parent.strip() == f"/{two.one.name}/ecs/{task.arn.rsplit('/', 1)[-1]}"
        task.stop()
        task.reaches("STOPPED", 60)
    finally:
        ecs.delete_attributes(cluster=plane.cluster, attributes=[given])
        ecs.update_container_instances_state(
            cluster=plane.cluster, containerInstances=mine, status="ACTIVE"
        )
