"""The EC2 API as an agent uses it: a few Describe operations, signed, paged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from ..settings import AgentSettings
from . import view
from .view import NotUnderstood

CALL_SECONDS = 15.0
PAGE = 1000
VERSION = "2016-11-15"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Ec2Unavailable(Exception):
    """No answer, a refusal, or an answer that is not understood."""


class Ec2Api:
    """Reads the network. Raises Ec2Unavailable."""

    def __init__(self, settings: AgentSettings, http: aiohttp.ClientSession) -> None:
        self._url = f"{settings.endpoint_url}/"
        self._http = http
        keys = settings.credentials
        self._auth = SigV4Auth(
            BotocoreCredentials(keys.access_key_id, keys.secret_access_key, keys.session_token),
            "ec2",
            settings.region,
        )

    async def interfaces(self) -> list[view.Interface]:
        """Every interface that is attached."""
        found: list[view.Interface] = []
        async for root in self._pages(
            "DescribeNetworkInterfaces",
            {"Filter.1.Name": "status", "Filter.1.Value.1": "in-use", "MaxResults": str(PAGE)},
        ):
            found += view.interfaces(root)
        return found

    async def groups(self) -> dict[str, view.Group]:
        """Every security group."""
        found: dict[str, view.Group] = {}
        async for root in self._pages("DescribeSecurityGroups", {"MaxResults": str(PAGE)}):
            found |= view.groups(root)
        return found

    async def surroundings(self) -> view.Surroundings:
        """Hosts, VPCs, subnets and route tables."""
        hosts, vpcs, subnets, tables = await asyncio.gather(
            self._one("DescribeInstances"),
            self._one("DescribeVpcs"),
            self._one("DescribeSubnets"),
            self._one("DescribeRouteTables"),
        )
        return view.Surroundings(
            view.hosts(hosts),
            view.vpc_blocks(vpcs),
            view.subnet_blocks(subnets),
            view.route_tables(tables),
        )

    async def _one(self, operation: str) -> Element:
        """Without MaxResults EC2 gives everything at once."""
        return await self._call(operation, {})

    async def _pages(self, operation: str, parameters: dict[str, str]) -> AsyncIterator[Element]:
        token = ""
        while True:
            root = await self._call(operation, parameters | ({"NextToken": token} if token else {}))
            yield root
            if not (token := view.next_token(root)):
                return

    async def _call(self, operation: str, parameters: dict[str, str]) -> Element:
        body = urlencode({"Action": operation, "Version": VERSION, **parameters}).encode()
        request = AWSRequest("POST", self._url, data=body, headers={"Content-Type": _FORM})
        self._auth.add_auth(request)
        headers = dict(request.headers.items())
        try:
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._http.post(self._url, data=body, headers=headers) as response,
            ):
                text = await response.text()
                if response.status != 200:
                    raise Ec2Unavailable(f"{operation}: status {response.status}: {text[:300]}")
            return view.parse(text)
        except (aiohttp.ClientError, TimeoutError, OSError, NotUnderstood) as error:
            raise Ec2Unavailable(f"{operation}: {error!r}") from error
