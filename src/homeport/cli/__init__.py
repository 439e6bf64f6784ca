"""What a person types: ``homeport up``, ``env``, ``why``, ``exec``, ``agent`` and the rest.

Calls ``bootstrap`` and prints; decides nothing. Imports are made inside the commands so that
``homeport env`` answers at once.
"""

from __future__ import annotations

import typer

from . import agent, demo, doctor, env, events, exec, up, version, why

app = typer.Typer(
    name="homeport",
    help="The open control plane for Amazon ECS, on your own machines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("env")(env.env)
app.command("agent")(agent.agent)
app.command("why")(why.why)
app.command("exec")(exec.exec)
app.command("events")(events.events)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.command("version")(version.version)


def main() -> None:
    """Entry point of the ``homeport`` command."""
    app()
