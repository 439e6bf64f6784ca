"""``homeport events``: what ECS would tell EventBridge."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def events(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    last: Annotated[
        int, typer.Option(help="Begin with so many of the newest.", min=0, max=5000)
    ] = 50,
    detail_type: Annotated[
        str, typer.Option(help='Only these, e.g. "ECS Task State Change".', metavar="TYPE")
    ] = "",
) -> None:
    """Print the events of ECS as EventBridge would carry them, one JSON document a line.

    Uses AWS_ENDPOINT_URL and the keys that homeport env prints.
    """
    from homeport import event_stream

    found = event_stream.follow(last) if follow else event_stream.newest(last)
    try:
        for event in found:
            if detail_type in ("", event["detail-type"]):
                typer.echo(json.dumps(event))
    except event_stream.EventsError as error:
        typer.echo(f"homeport events: {error}", err=True)
        raise typer.Exit(1) from None
