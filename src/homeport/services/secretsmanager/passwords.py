"""GetRandomPassword."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

from homeport.services.call import Call, Handler, Response

from .errors import InvalidParameterException

if TYPE_CHECKING:
    from types_boto3_secretsmanager.type_defs import GetRandomPasswordRequestTypeDef

DEFAULT_LENGTH = 32
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def get_random_password(call: Call, request: GetRandomPasswordRequestTypeDef) -> Response:
    """Nothing is stored; by default at least one character of each kind is in it."""
    kinds = [
        ("ExcludeUppercase", string.ascii_uppercase),
        ("ExcludeLowercase", string.ascii_lowercase),
        ("ExcludeNumbers", string.digits),
        ("ExcludePunctuation", PUNCTUATION),
    ]
    excluded = set(request.get("ExcludeCharacters", ""))
    alphabets = [
        "".join(c for c in alphabet if c not in excluded)
        for member, alphabet in kinds
        if not request.get(member)
    ]
    if request.get("IncludeSpace") and " " not in excluded:
        alphabets.append(" ")
    alphabets = [alphabet for alphabet in alphabets if alphabet]
    if not alphabets:
        raise InvalidParameterException(
            "The password can't be generated: every character is excluded."
        )
    length = request.get("PasswordLength", DEFAULT_LENGTH)
    required = alphabets if request.get("RequireEachIncludedType", True) else []
    if length < len(required):
        raise InvalidParameterException(
            f"PasswordLength must be at least {len(required)}: one character of each included type."
        )
    return {"RandomPassword": _password(alphabets, required, length)}


def _password(alphabets: list[str], required: list[str], length: int) -> str:
    characters = [secrets.choice(alphabet) for alphabet in required]
    everything = "".join(alphabets)
    characters += [secrets.choice(everything) for _ in range(length - len(characters))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


OPERATIONS: dict[str, Handler] = {"GetRandomPassword": get_random_password}
