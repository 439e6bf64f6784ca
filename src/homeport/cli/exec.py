"""``homeport exec``: run a command in a running task."""

from __future__ import annotations

from typing import Annotated

import typer


def exec(
    task: Annotated[str, typer.Argument(help="The task's id or ARN.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(help="The command and its arguments, after --.", show_default="/bin/sh"),
    ] = None,
    container: Annotated[
        str, typer.Option(help="The container; not needed if the task has one.")
    ] = "",
    cluster: Annotated[str, typer.Option(help="The cluster.")] = "default",
) -> None:
    """Run a command in a container of a running task: homeport exec TASK -- COMMAND.

    Ends with the command's exit code. With a terminal at both ends the command has one too;
    without, stdin and stdout pass unchanged. Uses AWS_ENDPOINT_URL and the keys that homeport
    env prints. The task must have been started with execute command enabled.
    """
    from homeport.execute import ExecuteError, run_command

    try:
        code = run_command(cluster, task, container, command or ["/bin/sh"])
    except ExecuteError as error:
        typer.echo(f"homeport exec: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)
