"""GET /homeport/events: signed, authorized, in pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import ENDPOINT, KEY, REGION, Api
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from homeport.domain.cluster import Cluster
from homeport.domain.credential import AccessKey
from homeport.store.schema import ACCESS_KEYS, CLUSTERS, EVENTS


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    with api.store.transaction() as tx:
        arn = f"arn:aws:ecs:{REGION}:123456789012:cluster/default"
        tx.put(CLUSTERS, Cluster(arn=arn, name="default", created_at=0.0))
    yield api
    api.close()


def get(
    api: Api, query: str = "", *, method: str = "GET", service: str = "events", key: Any = KEY
) -> tuple[int, Any]:
    request = AWSRequest(method=method, url=f"{ENDPOINT}/homeport/events{query}")
    if key is not None:
        credentials = Credentials(key.access_key_id, key.secret_access_key)
        SigV4Auth(credentials, service, REGION).add_auth(request)
    answer = api.loop.run_until_complete(api._call(request.prepare()))
    return answer.status_code, json.loads(answer.content)


def happen(api: Api, number: int) -> None:
    """Hosts join: one event each."""
    for _ in range(number):
        api.client("ecs").register_container_instance(cluster="default")


def test_pages_follow_one_another(api: Api) -> None:
    assert get(api) == (200, {"Events": [], "NextToken": "0"})
    happen(api, 5)
    _, first = get(api, "?maxResults=2")
    _, second = get(api, f"?maxResults=2&nextToken={first['NextToken']}")
    _, third = get(api, f"?nextToken={second['NextToken']}")
    pages = [page["Events"] for page in (first, second, third)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({event["id"] for page in pages for event in page}) == 5
    _, after = get(api, f"?nextToken={third['NextToken']}")
    assert after == {"Events": [], "NextToken": third["NextToken"]}
    happen(api, 1)
    _, new = get(api, f"?nextToken={third['NextToken']}")
    assert len(new["Events"]) == 1
    _, last = get(api, "?last=1")
    assert last["Events"] == new["Events"]
    assert get(api, "?last=0")[1]["Events"] == []


def test_an_event_is_an_eventbridge_event(api: Api) -> None:
    happen(api, 1)
    (event,) = get(api)[1]["Events"]
    assert event.keys() == {
        *("version", "id", "detail-type", "source", "account", "time", "region", "resources"),
        "detail",
    }
    assert (event["version"], event["source"]) == ("0", "aws.ecs")
    assert event["detail-type"] == "ECS Container Instance State Change"
    assert event["resources"] == [event["detail"]["containerInstanceArn"]]


def test_a_token_of_what_is_forgotten_begins_with_the_oldest(api: Api) -> None:
    happen(api, 3)
    with api.store.transaction() as tx:
        for event in tx.all(EVENTS):
            if event.sequence < 3:
                tx.delete(EVENTS, EVENTS.key(event))
    assert len(get(api, "?nextToken=1")[1]["Events"]) == 1


@pytest.mark.parametrize(
    "query", ["?nextToken=x", "?last=-1", "?last=99999", "?maxResults=0", "?maxResults=1001"]
)
def test_odd_queries_are_refused_by_name(api: Api, query: str) -> None:
    status, document = get(api, query)
    assert status == 400
    assert document["__type"] == "ValidationException"
    assert query[1:].partition("=")[0] in document["message"]


def test_only_whom_the_policy_lets_may_read_them(api: Api) -> None:
    assert get(api, key=None)[0] in (400, 403)
    assert get(api, service="ecs")[0] in (400, 403)
    agent = AccessKey("AKIAAGENT", "other", "arn:aws:iam::1:user/agent", "agent", 0.0)
    with api.store.transaction() as tx:
        tx.put(ACCESS_KEYS, agent)
    status, document = get(api, key=agent)
    assert status in (400, 403)
    assert "events:ListEvents" in document["message"]
    assert get(api, method="POST")[0] == 400
