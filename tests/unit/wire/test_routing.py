"""Requests find their operation by what clients really send."""

from __future__ import annotations

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest

from homeport.wire.errors import ApiError
from homeport.wire.http import Request
from homeport.wire.model import REST_SERVICES, SERVICES, load
from homeport.wire.router import refuser, route

FORM = "application/x-www-form-urlencoded; charset=utf-8"


def sent_by_boto3(service: str, operation: str, **arguments: object) -> Request:
    sent: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: object) -> None:
        sent.append(request)
        raise InterruptedError

    client = boto3.client(
        service,
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
    )
    client.meta.events.register("before-send", keep)
    with pytest.raises(InterruptedError):
        getattr(client, operation)(**arguments)
    (request,) = sent
    path, _, query = request.url.removeprefix("http://127.0.0.1:1").partition("?")
    body = request.body or b""
    return Request(
        request.method,
        path,
        query,
        {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in request.headers.items()},
        body.encode() if isinstance(body, str) else body,
    )


@pytest.mark.parametrize(
    ("service", "operation", "name", "arguments"),
    [
        ("ecs", "list_tasks", "ListTasks", {}),
        ("elbv2", "describe_load_balancers", "DescribeLoadBalancers", {}),
        ("ec2", "describe_vpcs", "DescribeVpcs", {}),
        ("sts", "get_caller_identity", "GetCallerIdentity", {}),
        ("appmesh", "list_meshes", "ListMeshes", {"limit": 5}),
        ("appmesh", "describe_mesh", "DescribeMesh", {"meshName": "a b"}),
        ("appmesh", "list_routes", "ListRoutes", {"meshName": "m", "virtualRouterName": "r"}),
    ],
)
def test_a_request_of_boto3_is_routed(
    service: str, operation: str, name: str, arguments: dict[str, object]
) -> None:
    found = route(sent_by_boto3(service, operation, **arguments))
    assert (found.service, found.operation) == (service, name)


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/", "", {}),
        Request("POST", "/", "", {"x-amz-target": "Nowhere.ListTasks"}),
        Request("POST", "/", "", {"x-amz-target": ""}),
        Request(
            "POST", "/", "", {"content-type": "application/x-www-form-urlencoded"}, b"Action=X"
        ),
        Request("POST", "/", "", {"content-type": "application/x-www-form-urlencoded"}, b"\xff"),
        Request("DELETE", "/v20190125/nothing", "", {}),
    ],
)
def test_what_names_no_operation_is_refused(request_: Request) -> None:
    with pytest.raises(ApiError) as refused:
        route(request_)
    assert 400 <= refused.value.status < 500


def signed_for(signing_name: str) -> dict[str, str]:
    scope = f"AKIA/20261121/us-east-1/{signing_name}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host"}


@pytest.mark.parametrize(
    ("request_", "service"),
    [
        (Request("POST", "/", "", {"x-amz-target": "Nowhere.X"}), "ecs"),
        (Request("POST", "/", "", signed_for("ec2")), "ec2"),
        (Request("POST", "/", "", signed_for("elasticloadbalancing")), "elbv2"),
        (Request("POST", "/", "", signed_for("appmesh")), "appmesh"),
        (Request("POST", "/", "", {"content-type": FORM}), "sts"),
        (Request("POST", "/", "", {"content-type": FORM, **signed_for("sqs")}), "sts"),
        (Request("GET", "/", "Action=X&Version=1", {}), "sts"),
    ],
)
def test_a_refusal_is_in_the_shape_that_its_client_reads(request_: Request, service: str) -> None:
    assert refuser(request_) == service


def test_the_table_of_services_agrees_with_botocore() -> None:
    loader = botocore.session.Session().get_component("data_loader")
    for name, (signing_name, target, version) in SERVICES.items():
        metadata = loader.load_service_model(name, "service-2")["metadata"]
        assert metadata.get("signingName", metadata["endpointPrefix"]) == signing_name
        assert metadata.get("targetPrefix", "") == target
        if load(name).protocol in ("query", "ec2"):
            assert metadata["apiVersion"] == version
        assert (name in REST_SERVICES) == load(name).protocol.startswith("rest")
