"""``homeport doctor``: what is missing on this machine, and how to mend it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def doctor(
    data: Annotated[Path | None, typer.Option(help="Data directory.", metavar="DIR")] = None,
    listen: Annotated[
        str, typer.Option(help="Where the API would listen.", metavar="HOST:PORT")
    ] = "127.0.0.1:4566",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check this machine; exit code 1 if something is missing that Homeport needs."""
    from homeport.diagnosis import diagnose
    from homeport.settings import default_data_dir

    from .up import parse_listen

    host, port = parse_listen(listen)
    findings = diagnose((data or default_data_dir()).absolute(), host, port)
    if as_json:
        typer.echo(json.dumps([finding.document() for finding in findings], indent=2))
    else:
        for finding in findings:
            typer.echo(finding.line())
    if any(finding.status == "missing" for finding in findings):
        raise typer.Exit(1)
