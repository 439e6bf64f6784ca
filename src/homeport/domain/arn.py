"""Amazon Resource Names and Homeport's random identifiers.

Forms follow the ECS and ELBv2 developer guides (long ARN format).
"""

from __future__ import annotations

import secrets
import string
import uuid

_BASE32 = string.ascii_uppercase + "234567"


class Arns:
    """Builds ARNs of one account and region."""

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region

    def ecs(self, resource: str) -> str:
        """``arn:aws:ecs:R:A:RESOURCE``, e.g. ``cluster/default``."""
        return f"arn:aws:ecs:{self.region}:{self.account_id}:{resource}"

    def elbv2(self, resource: str) -> str:
        """``arn:aws:elasticloadbalancing:R:A:RESOURCE``."""
        return f"arn:aws:elasticloadbalancing:{self.region}:{self.account_id}:{resource}"

    def ec2(self, resource: str) -> str:
        """``arn:aws:ec2:R:A:RESOURCE``."""
        return f"arn:aws:ec2:{self.region}:{self.account_id}:{resource}"

    def logs(self, resource: str) -> str:
        """``arn:aws:logs:R:A:RESOURCE``, e.g. ``log-group:/ecs/web``."""
        return f"arn:aws:logs:{self.region}:{self.account_id}:{resource}"

    def iam(self, resource: str) -> str:
        """``arn:aws:iam::A:RESOURCE``, e.g. ``role/ecs/web``: IAM has no regions."""
        return f"arn:aws:iam::{self.account_id}:{resource}"

    def assumed_role(self, role_name: str, session_name: str) -> str:
        """``arn:aws:sts::A:assumed-role/ROLE/SESSION``: the role's path is dropped."""
        return f"arn:aws:sts::{self.account_id}:assumed-role/{role_name}/{session_name}"

    def parameter(self, name: str) -> str:
        """``arn:aws:ssm:R:A:parameter/NAME``; a name that is a path brings its own slash."""
        path = name if name.startswith("/") else f"/{name}"
        return f"arn:aws:ssm:{self.region}:{self.account_id}:parameter{path}"

    def secret(self, name: str) -> str:
        """``arn:aws:secretsmanager:R:A:secret:NAME``."""
        return f"arn:aws:secretsmanager:{self.region}:{self.account_id}:secret:{name}"

    def root(self) -> str:
        """The account's root principal."""
        return f"arn:aws:iam::{self.account_id}:root"


def last_segment(arn: str) -> str:
    """``…:task/default/abc`` → ``abc``; a bare name stays as it is."""
    return arn.rsplit("/", 1)[-1]


class Ids:
    """Random identifiers in the shapes AWS uses."""

    def hex32(self) -> str:
        """Task and container-instance ids: 32 lower-case hex digits."""
        return secrets.token_hex(16)

    def hex16(self) -> str:
        """Load balancer, listener and target group ids: 16 hex digits."""
        return secrets.token_hex(8)

    def uuid(self) -> str:
        """Container ids, attachment ids, event ids."""
        return str(uuid.uuid4())

    def token(self) -> str:
        """A secret that admits whoever has it: 32 random bytes, in hex digits."""
        return secrets.token_hex(32)

    def digits19(self) -> str:
        """Deployment and service-revision numbers."""
        return str(secrets.randbelow(9 * 10**18) + 10**18)

    def iam(self, prefix: str) -> str:
        """IAM's unique ids: AIDA user, AGPA group, AROA role, ANPA policy, AIPA profile."""
        return prefix + _base32(17)

    def access_key_id(self) -> str:
        """The id of a long-term access key."""
        return "AKIA" + _base32(16)

    def secret_access_key(self) -> str:
        """The 40 characters of a secret access key."""
        return secrets.token_urlsafe(30)

    def digits(self, length: int) -> str:
        """A decimal number of exactly ``length`` digits."""
        return str(secrets.randbelow(9 * 10 ** (length - 1)) + 10 ** (length - 1))


def _base32(length: int) -> str:
    return "".join(_BASE32[secrets.randbelow(len(_BASE32))] for _ in range(length))
