"""What an agent is told to run: the documents inside a PayloadMessage.

Members are lowerCamel on the wire; unknown ones are tolerated. Source: ``ecs-agent/acs/model`` of
amazon-ecs-agent.
"""

from __future__ import annotations

import msgspec


class Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base of every message: lowerCamel members, defaults are not sent."""


class PayloadPort(Wire, frozen=True):
    """One port mapping; ``host_port`` 0 asks the agent to choose. With ``container_port_range``
    (``5000-5010``) it is as many ports in a row, on the host wherever there is room."""

    container_port: int = 0
    host_port: int = 0
    protocol: str = "tcp"
    container_port_range: str | None = None


class PayloadMountPoint(Wire, frozen=True):
    """Where a volume of the task appears in a container."""

    source_volume: str = ""
    container_path: str = ""
    read_only: bool = False


class PayloadVolumeFrom(Wire, frozen=True):
    """All volumes of another container of the task."""

    source_container: str = ""
    read_only: bool = False


class PayloadDependency(Wire, frozen=True):
    """``condition``: START, COMPLETE, SUCCESS or HEALTHY."""

    container_name: str
    condition: str = "START"


class PayloadRestartPolicy(Wire, frozen=True):
    """A container is started again in its task if it ran ``restart_attempt_period`` seconds and
    its exit code is not ignored."""

    enabled: bool = False
    ignored_exit_codes: list[int] | None = None
    restart_attempt_period: int = 300


class PayloadManagedAgent(Wire, frozen=True):
    """A program of ECS beside a container: ``ExecuteCommandAgent``."""

    name: str = ""


class PayloadDockerConfig(Wire, frozen=True):
    """Docker Engine's own ``Config`` and ``HostConfig`` documents, each a JSON string."""

    version: str = ""
    config: str = "{}"
    host_config: str = "{}"


class PayloadSecret(Wire, frozen=True):
    """A value to be fetched from ``provider`` (ssm, asm). ``target`` LOG_DRIVER: it is an option
    of the container's log driver, otherwise one of its environment variables."""

    name: str
    value_from: str
    region: str = ""
    provider: str = "ssm"
    type: str = "ENVIRONMENT_VARIABLE"
    target: str = "CONTAINER"


class PayloadEnvironmentFile(Wire, frozen=True):
    """A file of environment variables; ``value`` is the ARN of an S3 object."""

    value: str
    type: str = "s3"


class PayloadAsmAuth(Wire, frozen=True):
    """The secret that holds the user name and password of a registry."""

    credentials_parameter: str = ""
    region: str = ""


class PayloadRegistryAuthentication(Wire, frozen=True):
    """How an image is pulled; ``type`` asm: with a secret's user name and password."""

    type: str = ""
    asm_auth_data: PayloadAsmAuth | None = None


class PayloadContainer(Wire, frozen=True):
    """A container of a task: ``cpu`` in units (1024 a core), ``memory`` in MiB, timeouts in s.

    ``logs_auth_strategy`` EXECUTION_ROLE: awslogs signs with the task's execution role.
    """

    name: str
    image: str = ""
    container_arn: str = ""
    cpu: int = 0
    memory: int = 0
    essential: bool = False
    command: list[str] | None = None
    entry_point: list[str] | None = None
    environment: dict[str, str] | None = None
    port_mappings: list[PayloadPort] | None = None
    links: list[str] | None = None
    volumes_from: list[PayloadVolumeFrom] | None = None
    mount_points: list[PayloadMountPoint] | None = None
    depends_on: list[PayloadDependency] | None = None
    start_timeout: int | None = None
    stop_timeout: int | None = None
    health_check_type: str | None = None
    restart_policy: PayloadRestartPolicy | None = None
    managed_agents: list[PayloadManagedAgent] | None = None
    overrides: str | None = None
    secrets: list[PayloadSecret] | None = None
    environment_files: list[PayloadEnvironmentFile] | None = None
    registry_authentication: PayloadRegistryAuthentication | None = None
    docker_config: PayloadDockerConfig = PayloadDockerConfig()
    logs_auth_strategy: str = ""


class PayloadHostVolume(Wire, frozen=True):
    """``source_path`` empty: a directory that lives as long as the task."""

    source_path: str | None = None


class PayloadDockerVolume(Wire, frozen=True):
    """A volume of the Engine. ``scope``: ``task`` lives with its task, ``shared`` outlives it and
    is made when it is missing if ``autoprovision``."""

    scope: str = "task"
    autoprovision: bool = False
    driver: str = ""
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class PayloadEfsAuthorization(Wire, frozen=True):
    """``iam``: ENABLED or DISABLED."""

    access_point_id: str | None = None
    iam: str | None = None


class PayloadEfsVolume(Wire, frozen=True):
    """A file system of EFS, or a directory of it."""

    file_system_id: str = ""
    root_directory: str | None = None
    transit_encryption: str | None = None
    transit_encryption_port: int | None = None
    authorization_config: PayloadEfsAuthorization | None = None


class PayloadVolume(Wire, frozen=True):
    """A volume of a task; ``type`` is ``host``, ``docker`` or ``efs``."""

    name: str
    type: str = "host"
    host: PayloadHostVolume | None = None
    docker_volume_configuration: PayloadDockerVolume | None = None
    efs_volume_configuration: PayloadEfsVolume | None = None


class RoleCredentials(Wire, frozen=True):
    """Temporary credentials of a role for one task. ``expiration``: RFC 3339, UTC.

    ``credentials_id`` is unguessable and stays the same when they are renewed: it is the path
    at which a container asks for them.
    """

    credentials_id: str = ""
    role_arn: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    expiration: str = ""

    def __repr__(self) -> str:
        return f"RoleCredentials({self.role_arn}, until {self.expiration})"


class PayloadAddress(Wire, frozen=True):
    """An IPv4 address of a network interface."""

    primary: bool = False
    private_address: str = ""


class PayloadInterface(Wire, frozen=True):
    """The network interface of an awsvpc task. ``subnet_gateway_ipv4_address`` carries the length
    of the subnet's prefix (``172.31.0.1/20``); ``attachment_arn`` is what its state is reported
    for."""

    attachment_arn: str = ""
    ec2_id: str = ""
    mac_address: str = ""
    ipv4_addresses: list[PayloadAddress] | None = None
    subnet_gateway_ipv4_address: str = ""
    private_dns_name: str = ""
    domain_name: list[str] | None = None
    domain_name_servers: list[str] | None = None


class PayloadTask(Wire, frozen=True):
    """A task; for ``desired_status`` STOPPED only that and ``arn`` matter.

    ``cpu`` is a number of vCPUs, ``memory`` MiB: limits of the whole task.
    """

    arn: str
    desired_status: str
    family: str = ""
    version: str = ""
    task_cluster_arn: str = ""
    containers: list[PayloadContainer] | None = None
    volumes: list[PayloadVolume] | None = None
    network_mode: str = ""
    launch_type: str = ""
    service_name: str = ""
    group: str = ""
    cpu: float = 0.0
    memory: int = 0
    pid_mode: str = ""
    ipc_mode: str = ""
    elastic_network_interfaces: list[PayloadInterface] | None = None
    overrides: str | None = None
    role_credentials: RoleCredentials | None = None
    execution_role_credentials: RoleCredentials | None = None
