"""What Homeport's agents do not run yet: refused by name at RunTask and CreateService.

A definition that asks for one of these may be registered and described, but a task of it would
start without what it asked for; so it does not start. When an agent learns one, its line goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from homeport.domain.task_definition import TaskDefinition

Document = Mapping[str, Any]  # a registered document: open-ended by nature
Test = Callable[[Document], bool]


def _has(name: str) -> Test:
    return lambda document: bool(document.get(name))


def _volume_with(name: str) -> Test:
    return lambda document: any(volume.get(name) for volume in document.get("volumes") or ())


def _firelens(container: Document) -> bool:
    return (container.get("logConfiguration") or {}).get("logDriver") == "awsfirelens"


def _windows(document: Document) -> bool:
    platform: Document = document.get("runtimePlatform") or {}
    return str(platform.get("operatingSystemFamily") or "").upper().startswith("WINDOWS")


TASK_FEATURES: tuple[tuple[str, Test], ...] = (
    ("proxyConfiguration", _has("proxyConfiguration")),
    ("inferenceAccelerators", _has("inferenceAccelerators")),
    ("enableFaultInjection", _has("enableFaultInjection")),
    ("trustedExecutionConfiguration", _has("trustedExecutionConfiguration")),
    (
        "volumes.fsxWindowsFileServerVolumeConfiguration",
        _volume_with("fsxWindowsFileServerVolumeConfiguration"),
    ),
    ("volumes.s3filesVolumeConfiguration", _volume_with("s3filesVolumeConfiguration")),
    ("volumes.configuredAtLaunch", _volume_with("configuredAtLaunch")),
    ("runtimePlatform.operatingSystemFamily WINDOWS", _windows),
)

CONTAINER_FEATURES: tuple[tuple[str, Test], ...] = (
    ("resourceRequirements", _has("resourceRequirements")),
    ("credentialSpecs", _has("credentialSpecs")),
    ("firelensConfiguration", _has("firelensConfiguration")),
    ("logConfiguration.logDriver awsfirelens", _firelens),
)

OVERRIDE_FEATURES: tuple[tuple[str, Test], ...] = (
    ("overrides.inferenceAcceleratorOverrides", _has("inferenceAcceleratorOverrides")),
)

CONTAINER_OVERRIDE_FEATURES: tuple[tuple[str, Test], ...] = (
    ("resourceRequirements", _has("resourceRequirements")),
)

# Members of RunTask, StartTask, CreateService and UpdateService.
REQUEST_FEATURES: tuple[tuple[str, Test], ...] = (
    ("volumeConfigurations", _has("volumeConfigurations")),
    ("serviceRegistries", _has("serviceRegistries")),
    (
        "serviceConnectConfiguration",
        lambda r: bool((r.get("serviceConnectConfiguration") or {}).get("enabled")),
    ),
    ("vpcLatticeConfigurations", _has("vpcLatticeConfigurations")),
    ("gatewayConnectors", _has("gatewayConnectors")),
    ("monitoring", _has("monitoring")),
)


def unsupported_in_definition(definition: TaskDefinition) -> str | None:
    """The first thing a definition asks for that no agent does yet, or None."""
    document = definition.document
    containers: Any = document.get("containerDefinitions") or ()
    found = _found(TASK_FEATURES, document, "")
    for container in containers:
        found = found or _found(CONTAINER_FEATURES, container, f"container '{container['name']}': ")
    return found


def unsupported_in_overrides(overrides: Document) -> str | None:
    """The same of a TaskOverride document."""
    found = _found(OVERRIDE_FEATURES, overrides, "")
    for container in overrides.get("containerOverrides") or ():
        where = f"overrides of container '{container.get('name')}': "
        found = found or _found(CONTAINER_OVERRIDE_FEATURES, container, where)
    return found


def unsupported_in_request(request: Document) -> str | None:
    """The same of a request's own members."""
    return _found(REQUEST_FEATURES, request, "")


def refusal(feature: str) -> str:
    """The message of the error."""
    return f"Homeport does not run this yet: {feature}."


def _found(features: tuple[tuple[str, Test], ...], document: Document, where: str) -> str | None:
    return next(_matching(features, document, where), None)


def _matching(
    features: tuple[tuple[str, Test], ...], document: Document, where: str
) -> Iterator[str]:
    for name, asks_for in features:
        if asks_for(document):
            yield where + name
