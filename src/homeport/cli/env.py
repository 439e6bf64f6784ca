"""``homeport env``: what any AWS tool needs to talk to this Homeport."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer


def env(
    data: Annotated[Path | None, typer.Option(help="Data directory.", metavar="DIR")] = None,
) -> None:
    """Print export lines: eval "$(homeport env)"."""
    from homeport.settings import Settings, default_data_dir

    settings = Settings(data_dir=(data or default_data_dir()).absolute())
    try:
        keys = _read(settings.credentials_path)
        endpoint = _read(settings.endpoint_path)
    except FileNotFoundError as error:
        typer.echo(
            f"homeport: no Homeport runs on {settings.data_dir} ({error.filename} is not there). "
            "Start it with: homeport up" + (f" --data {data}" if data else ""),
            err=True,
        )
        raise typer.Exit(1) from None
    except (OSError, ValueError) as error:
        typer.echo(f"homeport: {settings.data_dir} can't be read: {error}", err=True)
        raise typer.Exit(1) from None
    exports = {
        "AWS_ENDPOINT_URL": endpoint["endpoint_url"],
        "AWS_ACCESS_KEY_ID": keys["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
        "AWS_REGION": keys["region"],
        "AWS_DEFAULT_REGION": keys["region"],
    }
    for name, value in exports.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document
