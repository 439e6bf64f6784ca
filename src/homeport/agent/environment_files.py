"""Environment files: one ``NAME=VALUE`` a line. Pure.

Source: "Pass environment variables to an Amazon ECS container", developer guide: lines that begin
with ``#`` are comments, nothing is unquoted, expanded or stripped, a line without a name is none.
"""

from __future__ import annotations

from collections.abc import Iterable


def parse_environment_file(content: bytes) -> dict[str, str]:
    """The variables of a file; of one that is there twice, the last."""
    variables: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").split("\n"):
        name, equals, value = line.removesuffix("\r").partition("=")
        if equals and name and not line.startswith("#"):
            variables[name] = value
    return variables


def merged(files: Iterable[dict[str, str]]) -> dict[str, str]:
    """The variables of several files: an earlier file counts more than a later one."""
    variables: dict[str, str] = {}
    for file in files:
        variables = {**file, **variables}
    return variables
