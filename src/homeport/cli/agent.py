"""``homeport agent``: make this machine a container instance of a Homeport."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer


def agent(
    endpoint: Annotated[
        str, typer.Option(help="The control plane's URL.", envvar="AWS_ENDPOINT_URL")
    ],
    data: Annotated[
        Path | None, typer.Option(help="The agent's own data directory.", metavar="DIR")
    ] = None,
    cluster: Annotated[str, typer.Option(help="The cluster to join.")] = "default",
    credentials_file: Annotated[
        Path | None,
        typer.Option(help="JSON with access_key_id and secret_access_key, mode 0600."),
    ] = None,
    region: Annotated[str, typer.Option(help="The region.", envvar="AWS_REGION")] = "us-east-1",
    zone: Annotated[str, typer.Option(help="The availability zone of this host.")] = "",
    host_address: Annotated[
        str, typer.Option(help="Where load balancers reach this host's ports.")
    ] = "",
    attribute: Annotated[
        list[str] | None, typer.Option(help="For placement constraints.", metavar="NAME=VALUE")
    ] = None,
    efs: Annotated[
        list[str] | None,
        typer.Option(
            help="Where a file system of EFS is: a directory, or nfs:HOST:/PATH.",
            metavar="fs-ID=PLACE",
        ),
    ] = None,
    reserved_memory: Annotated[int, typer.Option(help="MiB kept from tasks.", min=0)] = 0,
    platform: Annotated[
        bool, typer.Option("--platform", help="Take FARGATE tasks of any cluster, and no others.")
    ] = False,
) -> None:
    """Run the agent until Ctrl-C; containers go on running after that.

    Without --credentials-file the keys are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    """
    import os

    import uvloop

    from homeport.agent import AgentSettings, DataDirError, RegistrationRefused, SettingsError
    from homeport.agent.__main__ import run_until_signal
    from homeport.agent.settings import credentials_from_environment
    from homeport.domain.container_instance import PLATFORM_CAPACITY, PLATFORM_CLUSTER
    from homeport.settings import default_data_dir

    attributes = parse_attributes(attribute or ())
    if platform:
        cluster, attributes = PLATFORM_CLUSTER, (*attributes, (PLATFORM_CAPACITY, "only"))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = AgentSettings(
            endpoint_url=endpoint.rstrip("/"),
            data_dir=(data or default_data_dir().with_name("homeport-agent")).absolute(),
            credentials=credentials_from_environment(os.environ, credentials_file),
            cluster=cluster,
            region=region,
            availability_zone=zone,
            host_address=host_address,
            attributes=attributes,
            reserved_memory=reserved_memory,
            efs=parse_efs(efs or ()),
        )
        uvloop.run(run_until_signal(settings))
    except (SettingsError, DataDirError, RegistrationRefused) as error:
        typer.echo(f"homeport agent: {error}", err=True)
        raise typer.Exit(2) from None


def parse_efs(texts: list[str] | tuple[()]) -> tuple[tuple[str, str], ...]:
    """``fs-ID=PLACE`` …"""
    from homeport.agent.efs import check_mapping

    try:
        return check_mapping(dict(parse_attributes(texts)))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_attributes(texts: list[str] | tuple[()]) -> tuple[tuple[str, str], ...]:
    """``NAME=VALUE`` …"""
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise typer.BadParameter(f"{name!r} is not NAME=VALUE")
    return tuple((name, value) for name, _, value in pairs)
