"""The main job: a service is updated while traffic flows, and no request fails."""

from __future__ import annotations

import pytest

from control_plane import ControlPlane, eventually
from load import Load
from web_service import SERVE_WHOLE, create_web_service, register

pytestmark = pytest.mark.docker

REQUESTS = 20_000
ROWS = [(50, 100), (50, 150), (100, 150), (100, 200)]


@pytest.mark.parametrize(("minimum", "maximum"), ROWS)
def test_a_rolling_update_under_load_fails_no_request(
    control_plane: ControlPlane, minimum: int, maximum: int
) -> None:
    service = create_web_service(control_plane, minimum=minimum, maximum=maximum)
    ecs = control_plane.client("ecs")
    with Load(service.url, rate=900) as load:
        eventually("traffic flows", lambda: load.bodies["v1"] > 500)
        ecs.update_service(
            cluster=control_plane.cluster,
            service=service.name,
            taskDefinition=register(control_plane, "v2"),
        )
        service.wait_completed()
        before = load.bodies["v1"]
        eventually("enough requests", lambda: load.sent >= REQUESTS, 120)
        assert load.bodies["v1"] == before, "no request reaches the old revision any more"
    assert load.failures == []
    assert load.sent >= REQUESTS
    assert load.bodies["v2"] > 0


def test_a_killed_container_is_replaced_and_no_request_fails(control_plane: ControlPlane) -> None:
    service = create_web_service(control_plane, command=SERVE_WHOLE)
    before = {t["taskArn"] for t in service.tasks()}
    with Load(service.url, rate=300) as load:
        eventually("traffic flows", lambda: load.bodies["v1"] > 100)
        from docker_engine import docker

        docker("kill", control_plane.containers()[0]["Id"])

        def replaced() -> bool:
            running = {t["taskArn"] for t in service.tasks() if t["lastStatus"] == "RUNNING"}
            return len(running) == 2 and running != before and len(service.healthy_targets()) == 2

        eventually("the container is replaced and receives traffic", replaced, 60)
    assert load.failures == []
    stopped = service.tasks("STOPPED")
    assert [t["stopCode"] for t in stopped] == ["EssentialContainerExited"]
    assert stopped[0]["stoppedReason"] == "Essential container in task exited"
    assert stopped[0]["containers"][0]["exitCode"] == 137
