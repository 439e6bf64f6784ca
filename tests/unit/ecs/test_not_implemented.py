"""Every operation of ECS that is not there says so, by name, to a request that is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Api
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from homeport.services import OPERATIONS
from homeport.wire import model

ECS = model.load("ecs")
MISSING = sorted(ECS.operation_names - OPERATIONS["ecs"].keys())


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


def smallest(shape: Shape) -> Any:
    """The smallest value that the model allows."""
    match shape:
        case StructureShape(is_tagged_union=True):
            name, member = next(iter(shape.members.items()))
            return {name: smallest(member)}
        case StructureShape():
            return {name: smallest(shape.members[name]) for name in shape.required_members}
        case ListShape():
            return [smallest(shape.member)]
        case MapShape():
            return {}
        case _ if shape.type_name == "string":
            return shape.enum[0] if shape.enum else "x" * max(1, shape.metadata.get("min", 1))
        case _:
            return {"integer": 1, "long": 1, "boolean": False, "double": 1.0}[shape.type_name]


@pytest.mark.parametrize("operation", MISSING)
def test_an_operation_that_is_not_there_says_so_by_name(api: Api, operation: str) -> None:
    shape = ECS.operation(operation).input_shape
    request = smallest(shape) if shape is not None else {}
    revision = api.store.revision
    with pytest.raises(ClientError) as refused:
        getattr(api.client("ecs"), xform_name(operation))(**request)
    answer = refused.value.response
    assert answer["Error"]["Code"] == "NotImplementedException"
    assert answer["Error"]["Message"] == f"Homeport does not implement ecs:{operation} yet."
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert api.store.revision == revision
