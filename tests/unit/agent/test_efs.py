"""Where a file system of EFS is on this host, and why it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.agent.container_spec import volume_name
from homeport.agent.efs import Directory, EfsError, NfsExport, check_mapping, locate
from homeport.agent.launch import Failed, _of_file_system
from homeport.domain.agent_payload import (
    PayloadEfsAuthorization,
    PayloadEfsVolume,
    PayloadTask,
    PayloadVolume,
)


def efs(root: str | None = None, point: str | None = None) -> PayloadEfsVolume:
    access = PayloadEfsAuthorization(access_point_id=point) if point else None
    return PayloadEfsVolume("fs-1", root_directory=root, authorization_config=access)


def test_a_directory_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    mapping = {"fs-1": str(tmp_path)}
    for root in (None, "", "/"):
        assert locate(efs(root), mapping, "r") == Directory(str(tmp_path))
    for root in ("/a", "a", "/x/../a", "//a"):
        assert locate(efs(root), mapping, "r") == Directory(str(tmp_path / "a"))


def test_nothing_outside_of_it(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "root-2").mkdir()
    (root / "link").symlink_to("/etc")
    (root / "twin").symlink_to(tmp_path / "root-2")
    for inside in ("/link", "/twin", "/none"):
        with pytest.raises(EfsError, match="No such file or directory"):
            locate(efs(inside), {"fs-1": str(root)}, "r")
    assert locate(efs("/../.."), {"fs-1": str(root)}, "r") == Directory(str(root))


def test_a_link_to_the_root_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert locate(efs(), {"fs-1": str(tmp_path / "link")}, "r") == Directory(str(tmp_path / "real"))


def test_an_nfs_export() -> None:
    place = locate(efs("/a"), {"fs-1": "nfs:10.0.0.5:/export/"}, "r")
    assert place == NfsExport("10.0.0.5", "/export/a")
    assert isinstance(place, NfsExport)
    options = place.volume()["DriverOpts"]
    assert isinstance(options, dict)
    assert options["device"] == ":/export/a"
    assert options["o"].startswith("addr=10.0.0.5,nfsvers=4.1,")


def test_an_access_point_has_a_place_of_its_own(tmp_path: Path) -> None:
    mapping = {"fs-1": "/none", "fsap-1": str(tmp_path)}
    assert locate(efs("/", "fsap-1"), mapping, "r") == Directory(str(tmp_path))
    with pytest.raises(EfsError, match="fsap-2 is not mapped"):
        locate(efs("/", "fsap-2"), mapping, "r")


def test_what_is_not_mapped_is_said_as_aws_says_it() -> None:
    with pytest.raises(EfsError) as error:
        locate(efs(), {}, "eu-west-1")
    assert str(error.value).startswith(
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: "
        'stderr: Failed to resolve "fs-1.efs.eu-west-1.amazonaws.com" - check that your file '
        "system ID is correct"
    )


@pytest.mark.parametrize(
    "mapping",
    [
        {"x": "/srv"},
        {"fs-": "/srv"},
        {"fs-1": "srv"},
        {"fs-1": "nfs:host"},
        {"fs-1": "nfs:a,b:/x"},
        {"fs-1": "nfs:host:/x,ro"},
    ],
)
def test_a_mapping_that_makes_no_sense(mapping: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is n"):
        check_mapping(mapping)


def test_an_export_that_the_engine_cannot_mount_is_told_as_efs_tells_it() -> None:
    volume = PayloadVolume("data", type="efs", efs_volume_configuration=efs())
    task = PayloadTask("arn", "RUNNING", family="web", version="1", volumes=[volume])
    words = (
        "CannotStartContainerError: Error response from daemon: error while mounting volume "
        f"'/var/lib/docker/volumes/{volume_name(task, 'data')}/_data': failed to mount local volume"
    )
    told = _of_file_system(task, Failed(words, "id", 128))
    assert told.reason.startswith(
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: "
    )
    assert "failed to mount local volume" in told.reason
    assert (told.docker_id, told.exit_code) == ("id", 128)
    other = Failed("CannotStartContainerError: no such program")
    assert _of_file_system(task, other) is other
