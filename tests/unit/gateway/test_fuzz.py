"""10,000 requests, valid and damaged: no 500, no trace, nothing stored that trips its readers.

Half of them come from requests that were accepted, so that the damage reaches the handlers and
not only the checks before them; the others are made from botocore's models.
"""

from __future__ import annotations

import base64
import json
import logging
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from acting_world import Sent, World
from api_client import ENDPOINT, KEY, PLATFORM, REGION
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from busy_world import busy_world
from damage import damaged, strings_of
from request_maker import Maker

from homeport.services import OPERATIONS
from homeport.wire import model
from homeport.wire.http import Request, Response

REQUESTS = 10_000
WORLDS = 10  # what is deleted in one is there again in the next
SEED = 20_261_121
FUZZED = [s for s in OPERATIONS if s != "s3"]  # its paths and headers are fuzzed in tests/unit/s3
READING = ("Describe", "Discover", "Get", "List")


class Fuzzer:
    """Sends to one world after another and counts the answers."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.makers = {s: Maker(model.load(s), self.chance, PLATFORM) for s in FUZZED}
        served = [(s, o) for s in FUZZED for o in sorted(OPERATIONS[s])]
        writing = [(s, o) for s, o in served if not o.startswith(READING)]
        self.operations = served + writing * 3
        self.answers: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)

    def requests(self, sent: list[Sent], count: int) -> Iterator[Sent]:
        """Requests for every operation in turn, in an order of its own for each world."""
        known: dict[tuple[str, str], list[Sent]] = defaultdict(list)
        for request in sent:
            known[request.service, request.operation].append(request)
        strings = strings_of([request.body for request in sent])
        operations = self.chance.sample(self.operations, len(self.operations))
        # What was not accepted yet comes first: as operations grow, its turn would come too seldom.
        operations.sort(key=lambda operation: self.answers[operation][200] > 0)
        for number in range(count):
            service, operation = operations[number % len(operations)]
            seeds = known[service, operation]
            # Gently until it was accepted once, however many operations share the requests.
            untried = bool(seeds) and not self.answers[service, operation][200]
            if untried or (seeds and self.chance.random() < 0.7):
                request = self.chance.choice(seeds)
                headers, body = request.headers, request.body
            else:
                headers, body = self.makers[service].request(operation)
            if self.chance.random() < (0.25 if untried else 0.8):
                body = damaged(self.chance, body, strings)
            yield Sent(service, operation, headers, body)

    def fuzz(self, world: World, count: int) -> None:
        for request in self.requests(list(world.sent), count):
            response = answer(world, request)
            self.answers[request.service, request.operation][response.status] += 1
            assert response.status < 500, (request, response.body)
            if response.status != 200:
                assert error_code(request.service, response), (request, response)
            assert b"Traceback" not in response.body, (request, response.body)


def answer(world: World, sent: Sent) -> Response:
    """Signed correctly, so that it gets through."""
    request = AWSRequest(method="POST", url=f"{ENDPOINT}/", data=sent.body, headers=sent.headers)
    credentials = Credentials(KEY.access_key_id, KEY.secret_access_key)
    SigV4Auth(credentials, model.SERVICES[sent.service][0], REGION).add_auth(request)
    headers = {"host": "127.0.0.1:4566"} | {k.lower(): v for k, v in request.headers.items()}
    received = Request("POST", "/", "", headers, sent.body)
    return world.api.loop.run_until_complete(world.api.gateway.answer(received, "request-id"))


def error_code(service: str, response: Response) -> str:
    """The code, read as the service's clients read it."""
    if model.load(service).protocol in ("json", "rest-json"):
        document = json.loads(response.body)
        assert isinstance(document["message"], str)
        return str(document["__type"])
    root = ElementTree.fromstring(response.body)
    return next(e.text or "" for e in root.iter() if e.tag.rpartition("}")[2] == "Code")


def no_trace(caplog: pytest.LogCaptureFixture) -> None:
    traces = [record for record in caplog.records if record.exc_info]
    assert not traces, caplog.text[-8000:]


class SeededSecrets:
    """Identifiers that are the same in every run.

    With them and PYTHONHASHSEED=0 (sets order the controllers' keys) a seed is the same requests.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def token_hex(self, count: int) -> str:
        return self._chance.randbytes(count).hex()

    def randbelow(self, limit: int) -> int:
        return self._chance.randrange(limit)

    def token_urlsafe(self, count: int) -> str:
        return base64.urlsafe_b64encode(self._chance.randbytes(count)).rstrip(b"=").decode()

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(int=self._chance.getrandbits(128), version=4)


@pytest.fixture
def _same_identifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    identifiers = SeededSecrets(random.Random(SEED))
    monkeypatch.setattr("homeport.domain.arn.secrets", identifiers)
    monkeypatch.setattr("uuid.uuid4", identifiers.uuid4)  # boto3's client tokens


@pytest.mark.usefixtures("_same_identifiers")
def test_ten_thousand_fuzzed_requests_give_no_500(caplog: pytest.LogCaptureFixture) -> None:
    fuzzer = Fuzzer(SEED)
    seeded: set[tuple[str, str]] = set()
    with caplog.at_level(logging.ERROR):
        for _ in range(WORLDS):
            world = busy_world()
            seeds = list(world.sent)
            seeded |= {(s.service, s.operation) for s in seeds}
            for _ in range(10):
                fuzzer.fuzz(world, REQUESTS // WORLDS // 10)
                world.act()
            for seed in seeds:  # what was stored can still be shown
                if seed.operation.startswith(READING):
                    assert answer(world, seed).status < 500, seed
            world.close()
            no_trace(caplog)
    assert sum(count.total() for count in fuzzer.answers.values()) == REQUESTS
    never = {o for o in seeded if not fuzzer.answers[o][200]}
    assert never == set(), "the damage stays in the checks"
