"""``homeport why``: what holds up a service or a task."""

from __future__ import annotations

from typing import Annotated

import typer


def why(
    name: Annotated[str, typer.Argument(help="A service's name, or a task's id or ARN.")],
    cluster: Annotated[str, typer.Option(help="The cluster.")] = "default",
) -> None:
    """Say why tasks are missing or pending, per container instance and constraint.

    Uses AWS_ENDPOINT_URL and the keys that homeport env prints.
    """
    from homeport.why import WhyError
    from homeport.why import why as reasons

    try:
        for line in reasons(cluster, name):
            typer.echo(line)
    except WhyError as error:
        typer.echo(f"homeport why: {error}", err=True)
        raise typer.Exit(1) from None
