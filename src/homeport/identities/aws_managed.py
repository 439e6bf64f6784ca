"""AWS's managed policies: those that the tutorials of ECS and its neighbours name.

The documents are AWS's, one file each in ``aws_policies``, read when first asked for. A version
that AWS has replaced since is served as the version it is.
"""

from __future__ import annotations

import functools
import hashlib
import json
from base64 import b32encode
from collections.abc import Mapping
from datetime import datetime
from importlib import resources

from homeport.domain.iam import ManagedPolicy, PolicyVersion

PREFIX = "arn:aws:iam::aws:policy"


@functools.cache
def aws_managed_policies() -> Mapping[str, ManagedPolicy]:
    """Every policy of AWS's that there is here, by ARN."""
    folder = resources.files("homeport.identities").joinpath("aws_policies")
    policies = [
        _policy(file.name.removesuffix(".json"), file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    ]
    return {policy.arn: policy for policy in policies}


def _policy(name: str, text: str) -> ManagedPolicy:
    content = json.loads(text)
    updated = datetime.fromisoformat(content["updated"]).timestamp()
    version = str(content["version"])
    document = json.dumps(content["document"], indent=4)
    return ManagedPolicy(
        arn=f"{PREFIX}{content['path']}{name}",
        name=name,
        path=content["path"],
        policy_id="ANPA" + b32encode(hashlib.sha256(name.encode()).digest()).decode()[:17],
        created_at=updated,
        updated_at=updated,
        versions=(PolicyVersion(version, document, updated),),
        default_version_id=version,
        last_version=int(version.removeprefix("v")),
    )
