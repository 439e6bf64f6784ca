"""Nothing acknowledged is lost: kill -9 at random moments of a rolling update."""

from __future__ import annotations

import random
import time

import pytest

from control_plane import ControlPlane, eventually
from load import Load
from web_service import create_web_service, register

pytestmark = pytest.mark.docker

KILLS = 20


@pytest.mark.timeout(900)
def test_the_control_plane_may_die_at_any_moment_of_a_rolling_update(
    control_plane: ControlPlane,
) -> None:
    service = create_web_service(control_plane)
    ecs = control_plane.client("ecs")
    chance = random.Random(20)
    revisions = []
    with Load(service.url, rate=100) as load:
        for kill in range(KILLS):
            version = f"v{kill + 2}"
            revision = register(control_plane, version)
            revisions.append(revision)
            ecs.update_service(
                cluster=control_plane.cluster, service=service.name, taskDefinition=revision
            )
            time.sleep(chance.uniform(0, 2.5))  # the random moment itself, not a wait
            control_plane.kill()
            control_plane.start()
            service.wait_completed(60)
            assert service.describe()["taskDefinition"].endswith(f"/{revision}")
            _containers_match_tasks(control_plane)
        eventually("the last version answers", lambda: load.bodies[f"v{KILLS + 1}"] > 10)
    assert load.failures == []
    families = ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"]
    assert {a.rsplit("/", 1)[1] for a in families} >= set(revisions)


@pytest.mark.timeout(900)
def test_the_agent_may_die_at_any_moment_of_a_rolling_update(control_plane: ControlPlane) -> None:
    service = create_web_service(control_plane)
    ecs = control_plane.client("ecs")
    chance = random.Random(21)
    with Load(service.url, rate=100) as load:
        for kill in range(KILLS):
            version = f"v{kill + 2}"
            revision = register(control_plane, version)
            ecs.update_service(
                cluster=control_plane.cluster, service=service.name, taskDefinition=revision
            )
            time.sleep(chance.uniform(0, 2.5))  # the random moment itself, not a wait
            control_plane.kill_agent()
            service.wait_completed(60)
            _containers_match_tasks(control_plane)
        eventually("the last version answers", lambda: load.bodies[f"v{KILLS + 1}"] > 10)
        running = {c["Id"] for c in control_plane.containers()}
        control_plane.kill_agent()
        control_plane.wait_for_instance()
        assert {c["Id"] for c in control_plane.containers()} == running, "adopted, not restarted"
    assert load.failures == []


def _containers_match_tasks(control_plane: ControlPlane) -> None:
    """No container is orphaned or doubled: Docker runs exactly what the API says runs."""

    def same() -> bool:
        containers = control_plane.containers()
        of_tasks = sorted(c["Config"]["Labels"]["com.amazonaws.ecs.task-arn"] for c in containers)
        ecs = control_plane.client("ecs")
        arns = ecs.list_tasks(cluster=control_plane.cluster)["taskArns"]
        return of_tasks == sorted(arns)

    eventually("Docker runs exactly the tasks that the API lists", same, 60)
