"""What Homeport does with each member of a task definition: the source of docs/task-definition.md.

``done`` names the system test that shows it on a real Engine; ``refused`` is the feature that
``not_run_yet`` refuses when a task is to run; ``stored`` says why nothing follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

TASKS = "tests/system/test_tasks.py"
PARAMETERS = "tests/system/test_container_parameters.py"
ORDER = "tests/system/test_container_order.py"
TASK_LIMITS = "tests/system/test_task_limits.py"
FARGATE = "tests/system/test_fargate.py"
SERVICES = "tests/system/test_services.py"
LOGS = "tests/system/test_logs.py"
SECRETS = "tests/system/test_secrets.py"
METADATA = "tests/system/test_task_endpoint.py"


@dataclass(frozen=True, slots=True)
class Support:
    """``detail``: a test (``FILE::NAME``), a refused feature, or a reason."""

    status: Literal["done", "refused", "stored"]
    detail: str


def _done(file: str, test: str) -> Support:
    return Support("done", f"{file}::{test}")


def _refused(feature: str) -> Support:
    return Support("refused", feature)


def _stored(reason: str) -> Support:
    return Support("stored", reason)


_NAMES = "test_a_container_carries_the_official_agents_name_and_labels"
_LIMITS = "test_cpu_and_memory_limits_are_set_on_the_container"
_PORTS = "test_a_dynamic_host_port_is_reachable_at_the_instances_address"
_ENVIRONMENT = "test_environment_command_and_entry_point_reach_the_process"
_HOSTS = "test_extra_hosts_and_dns"
_DOCKER = "test_docker_labels_and_security_options"
_PRINTED = "test_what_a_container_prints_is_in_the_stream_of_its_task"
_ORDER = "test_four_containers_start_and_stop_in_order"
_ROLES = "test_a_container_gets_its_task_role_and_not_its_execution_role"
_SECRETS = "test_a_container_sees_parameters_and_secrets"
_FILES = "test_environment_files_give_what_the_definition_does_not"
_PRIVATE = "test_an_image_is_pulled_with_a_secrets_password"
_C = "containerDefinitions"
_L = f"{_C}.linuxParameters"

_EFS = {
    f"volumes.efsVolumeConfiguration.{member}": support
    for member, support in (
        ("fileSystemId", _done(PARAMETERS, "test_efs_volumes")),
        ("rootDirectory", _done(PARAMETERS, "test_efs_volumes")),
        ("transitEncryption", _stored("a directory needs none, an NFS mount has none")),
        ("transitEncryptionPort", _stored("nothing is encrypted in transit")),
        ("authorizationConfig", _done(PARAMETERS, "test_efs_access_points")),
        ("authorizationConfig.accessPointId", _done(PARAMETERS, "test_efs_access_points")),
        ("authorizationConfig.iam", _stored("who may mount is not asked of IAM")),
    )
}

SUPPORT: Mapping[str, Support] = {
    "family": _done(TASKS, _NAMES),
    "taskRoleArn": _done(METADATA, _ROLES),
    "executionRoleArn": _done(METADATA, _ROLES),
    "networkMode": _done(TASKS, "test_host_mode_uses_the_hosts_own_ports"),
    _C: _done(TASKS, "test_a_side_container_may_end_an_essential_one_ends_the_task"),
    f"{_C}.name": _done(TASKS, _NAMES),
    f"{_C}.image": _done(TASKS, "test_an_image_that_cannot_be_pulled_says_why"),
    f"{_C}.repositoryCredentials": _done(
        SECRETS, "test_an_image_is_pulled_with_a_secrets_password"
    ),
    f"{_C}.cpu": _done(TASKS, _LIMITS),
    f"{_C}.memory": _done(TASKS, _LIMITS),
    f"{_C}.memoryReservation": _done(TASKS, _LIMITS),
    f"{_C}.links": _done(PARAMETERS, "test_links"),
    f"{_C}.portMappings": _done(TASKS, _PORTS),
    f"{_C}.portMappings.containerPort": _done(TASKS, _PORTS),
    f"{_C}.portMappings.hostPort": _done(PARAMETERS, "test_static_and_udp_ports"),
    f"{_C}.portMappings.protocol": _done(PARAMETERS, "test_static_and_udp_ports"),
    f"{_C}.portMappings.name": _stored("it names a port for Service Connect, which is refused"),
    f"{_C}.portMappings.appProtocol": _stored("it is for Service Connect, which is refused"),
    f"{_C}.portMappings.containerPortRange": _done(PARAMETERS, "test_a_range_of_ports"),
    f"{_C}.essential": _done(TASKS, "test_a_side_container_may_end_an_essential_one_ends_the_task"),
    f"{_C}.restartPolicy": _done(ORDER, "test_a_restart_policy_starts_a_container_again"),
    f"{_C}.entryPoint": _done(TASKS, _ENVIRONMENT),
    f"{_C}.command": _done(TASKS, _ENVIRONMENT),
    f"{_C}.environment": _done(TASKS, _ENVIRONMENT),
    f"{_C}.environmentFiles": _done(
        SECRETS, "test_environment_files_give_what_the_definition_does_not"
    ),
    f"{_C}.mountPoints": _done(PARAMETERS, "test_host_volumes"),
    f"{_C}.volumesFrom": _done(PARAMETERS, "test_volumes_from"),
    _L: _done(PARAMETERS, "test_capabilities"),
    f"{_L}.capabilities": _done(PARAMETERS, "test_capabilities"),
    f"{_L}.devices": _done(PARAMETERS, "test_devices"),
    f"{_L}.initProcessEnabled": _done(PARAMETERS, "test_init_process"),
    f"{_L}.sharedMemorySize": _done(PARAMETERS, "test_shared_memory_size"),
    f"{_L}.tmpfs": _done(PARAMETERS, "test_tmpfs"),
    f"{_L}.maxSwap": _done(PARAMETERS, "test_swap"),
    f"{_L}.swappiness": _done(PARAMETERS, "test_swap"),
    f"{_C}.secrets": _done(SECRETS, _SECRETS),
    f"{_C}.dependsOn": _done(ORDER, _ORDER),
    f"{_C}.startTimeout": _done(ORDER, "test_a_dependency_that_takes_too_long_ends_the_task"),
    f"{_C}.stopTimeout": _done(TASKS, "test_stop_timeout_is_how_long_a_container_may_take"),
    f"{_C}.versionConsistency": _stored("image tags are not resolved to digests yet"),
    f"{_C}.hostname": _done(PARAMETERS, "test_hostname"),
    f"{_C}.user": _done(PARAMETERS, "test_user"),
    f"{_C}.workingDirectory": _done(PARAMETERS, "test_working_directory"),
    f"{_C}.disableNetworking": _done(PARAMETERS, "test_disable_networking"),
    f"{_C}.privileged": _done(PARAMETERS, "test_privileged"),
    f"{_C}.readonlyRootFilesystem": _done(PARAMETERS, "test_readonly_root_filesystem"),
    f"{_C}.dnsServers": _done(PARAMETERS, _HOSTS),
    f"{_C}.dnsSearchDomains": _done(PARAMETERS, _HOSTS),
    f"{_C}.extraHosts": _done(PARAMETERS, _HOSTS),
    f"{_C}.dockerSecurityOptions": _done(PARAMETERS, _DOCKER),
    f"{_C}.interactive": _done(PARAMETERS, _DOCKER),
    f"{_C}.pseudoTerminal": _done(PARAMETERS, _DOCKER),
    f"{_C}.dockerLabels": _done(PARAMETERS, _DOCKER),
    f"{_C}.ulimits": _done(PARAMETERS, "test_ulimits"),
    f"{_C}.logConfiguration": _done(
        LOGS, "test_what_a_container_prints_is_in_the_stream_of_its_task"
    ),
    f"{_C}.logConfiguration.logDriver": _done(PARAMETERS, "test_log_configuration"),
    f"{_C}.logConfiguration.options": _done(LOGS, "test_lines_that_belong_together_are_one_event"),
    f"{_C}.logConfiguration.secretOptions": _done(
        SECRETS, "test_options_of_a_log_driver_can_be_secrets"
    ),
    f"{_C}.healthCheck": _done(TASKS, "test_container_health_comes_from_the_engine"),
    f"{_C}.systemControls": _done(PARAMETERS, "test_system_controls"),
    f"{_C}.resourceRequirements": _refused("resourceRequirements"),
    f"{_C}.firelensConfiguration": _refused("firelensConfiguration"),
    f"{_C}.credentialSpecs": _refused("credentialSpecs"),
    "volumes": _done(TASKS, "test_volumes_are_shared_between_containers"),
    "volumes.name": _done(TASKS, "test_volumes_are_shared_between_containers"),
    "volumes.host": _done(PARAMETERS, "test_host_volumes"),
    "volumes.dockerVolumeConfiguration": _done(PARAMETERS, "test_docker_volumes"),
    "volumes.efsVolumeConfiguration": _done(PARAMETERS, "test_efs_volumes"),
    **_EFS,
    "volumes.s3filesVolumeConfiguration": _refused("volumes.s3filesVolumeConfiguration"),
    "volumes.fsxWindowsFileServerVolumeConfiguration": _refused(
        "volumes.fsxWindowsFileServerVolumeConfiguration"
    ),
    "volumes.configuredAtLaunch": _refused("volumes.configuredAtLaunch"),
    "placementConstraints": _done(SERVICES, "test_two_hosts_share_the_tasks"),
    "requiresCompatibilities": _done(FARGATE, "test_a_fargate_task_has_a_platform_and_no_instance"),
    "cpu": _done(TASK_LIMITS, "test_two_busy_containers_share_the_tasks_cpu"),
    "memory": _done(
        TASK_LIMITS, "test_containers_may_each_use_less_than_the_task_but_not_more_together"
    ),
    "tags": _stored("kept, shown, and propagated to tasks where a service asks for it"),
    "pidMode": _done(PARAMETERS, "test_processes_of_the_task"),
    "ipcMode": _done(PARAMETERS, "test_shared_memory_of_the_task"),
    "proxyConfiguration": _refused("proxyConfiguration"),
    "inferenceAccelerators": _refused("inferenceAccelerators"),
    "ephemeralStorage": _stored("the disk of Fargate tasks: checked and shown, not enforced"),
    "runtimePlatform": _stored(
        "Windows is refused; on Fargate the processor that is named is the host's"
    ),
    "enableFaultInjection": _refused("enableFaultInjection"),
    "trustedExecutionConfiguration": _refused("trustedExecutionConfiguration"),
}
