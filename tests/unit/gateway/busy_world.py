"""An account with something of everything in it, and one accepted request for each operation."""

from __future__ import annotations

import time
from typing import Any

import busy_secrets
import msgspec
from acting_world import World
from api_client import Api
from busy_awsvpc import awsvpc
from busy_networks import networks

from homeport.store.schema import CONTAINER_INSTANCES

CAPABILITIES = (
    "com.amazonaws.ecs.capability.docker-remote-api.1.18",
    "ecs.capability.container-health-check",
    "ecs.capability.container-ordering",
    "ecs.capability.task-eni",
)


def busy_world() -> World:
    """An account filled through its API; all that was sent was accepted."""
    world = World()
    world.client("sts").get_caller_identity()
    security_group = _network(world)
    target_group = _load_balancing(world, security_group)
    _containers(world, target_group)
    awsvpc(world)
    networks(world)
    _logs(world)
    busy_secrets.parameters(world)
    busy_secrets.secrets(world)
    return world


def _network(world: World) -> str:
    ec2 = world.client("ec2")
    for describe in (
        ec2.describe_account_attributes,
        ec2.describe_availability_zones,
        ec2.describe_instances,
        ec2.describe_regions,
        ec2.describe_security_group_rules,
        ec2.describe_security_groups,
        ec2.describe_subnets,
        ec2.describe_tags,
    ):
        describe()
    named = [{"Name": "is-default", "Values": ["true"]}]
    vpc_id = ec2.describe_vpcs(Filters=named)["Vpcs"][0]["VpcId"]
    ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsSupport")
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "team", "Value": "web"}]}]
    group = ec2.create_security_group(
        GroupName="web", Description="web", VpcId=vpc_id, TagSpecifications=tags
    )["GroupId"]
    opened = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}],
    }
    for authorize, revoke in (
        (ec2.authorize_security_group_ingress, ec2.revoke_security_group_ingress),
        (ec2.authorize_security_group_egress, ec2.revoke_security_group_egress),
    ):
        authorize(GroupId=group, IpPermissions=[opened])
        authorize(GroupId=group, IpPermissions=[{**opened, "FromPort": 79}])
        revoke(GroupId=group, IpPermissions=[opened])
    ec2.create_tags(Resources=[group], Tags=[{"Key": "stage", "Value": "test"}])
    ec2.delete_tags(Resources=[group], Tags=[{"Key": "stage"}])
    spare = ec2.create_security_group(GroupName="spare", Description="spare", VpcId=vpc_id)
    with world.held_back():
        ec2.delete_security_group(GroupId=spare["GroupId"])
    return str(group)


def _load_balancing(world: World, security_group: str) -> str:
    """Returns the ARN of a target group that a listener forwards to."""
    elb = world.client("elbv2")
    subnets = world.api.client("ec2").describe_subnets()["Subnets"]
    zones = [s["SubnetId"] for s in subnets[:2]]
    groups = [
        elb.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=80,
            VpcId=subnets[0]["VpcId"],
            TargetType=kind,
            HealthCheckPath="/health",
            Matcher={"HttpCode": "200-299,301"},
            Tags=[{"Key": "team", "Value": "web"}],
        )["TargetGroups"][0]["TargetGroupArn"]
        for name, kind in (("web", "instance"), ("addresses", "ip"), ("spare", "ip"))
    ]
    balancers = [
        elb.create_load_balancer(Name=name, Subnets=zones, SecurityGroups=[security_group])[
            "LoadBalancers"
        ][0]["LoadBalancerArn"]
        for name in ("web", "spare")
    ]
    targets = [{"Id": "172.31.0.9", "Port": 8080}]
    elb.register_targets(TargetGroupArn=groups[1], Targets=targets)
    elb.describe_target_health(TargetGroupArn=groups[1], Targets=targets)
    elb.deregister_targets(TargetGroupArn=groups[1], Targets=targets)
    elb.register_targets(TargetGroupArn=groups[1], Targets=[{"Id": "172.31.0.10", "Port": 80}])
    _load_balancer(elb, balancers[0], zones, security_group)
    _listeners(world, elb, balancers[0], groups)
    _target_group(elb, groups[0])
    elb.add_tags(ResourceArns=balancers, Tags=[{"Key": "stage", "Value": "test"}])
    elb.describe_tags(ResourceArns=[*balancers, *groups])
    elb.remove_tags(ResourceArns=balancers, TagKeys=["stage"])
    elb.describe_account_limits()
    with world.held_back():
        elb.delete_load_balancer(LoadBalancerArn=balancers[1])
    with world.held_back():
        elb.delete_target_group(TargetGroupArn=groups[2])
    return str(groups[0])


def _load_balancer(elb: Any, arn: str, zones: list[str], security_group: str) -> None:
    elb.describe_load_balancers(LoadBalancerArns=[arn])
    elb.describe_load_balancers(Names=["web"])
    elb.describe_load_balancers(PageSize=1)
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "30"}]
    )
    elb.describe_load_balancer_attributes(LoadBalancerArn=arn)
    elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="ipv4")
    elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[security_group])
    elb.set_subnets(LoadBalancerArn=arn, Subnets=zones)


def _listeners(world: World, elb: Any, balancer: str, groups: list[str]) -> None:
    weighted = [{"TargetGroupArn": g, "Weight": 1} for g in groups[:2]]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listeners = [
        elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=[action]
        )["Listeners"][0]["ListenerArn"]
        for port, action in ((18080, forward), (18081, fixed))
    ]
    elb.describe_listeners(LoadBalancerArn=balancer, PageSize=10)
    elb.describe_listener_attributes(ListenerArn=listeners[0])
    elb.modify_listener(ListenerArn=listeners[0], Port=18082, DefaultActions=[forward])
    name = "routing.http.response.server.enabled"
    elb.modify_listener_attributes(
        ListenerArn=listeners[0], Attributes=[{"Key": name, "Value": "true"}]
    )
    conditions = [
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*"]}},
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.org"]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
    ]
    rules = [
        elb.create_rule(
            ListenerArn=listeners[0], Priority=n, Conditions=conditions, Actions=[forward]
        )["Rules"][0]["RuleArn"]
        for n in (1, 2)
    ]
    elb.describe_rules(ListenerArn=listeners[0])
    elb.modify_rule(RuleArn=rules[0], Conditions=conditions[:1], Actions=[fixed])
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": rules[0], "Priority": 5}])
    with world.held_back():
        elb.delete_rule(RuleArn=rules[1])
    with world.held_back():
        elb.delete_listener(ListenerArn=listeners[1])


def _target_group(elb: Any, arn: str) -> None:
    elb.describe_target_groups(TargetGroupArns=[arn])
    elb.modify_target_group(
        TargetGroupArn=arn, HealthCheckIntervalSeconds=10, HealthCheckTimeoutSeconds=2
    )
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
    elb.describe_target_group_attributes(TargetGroupArn=arn)


def _containers(world: World, target_group: str) -> None:
    ecs = world.client("ecs")
    _clusters(world, ecs)
    _settings(ecs)
    _definitions(world, ecs)
    _instances(world.api, ecs)
    _tasks(ecs)
    _services(world, ecs, target_group)
    cluster = ecs.describe_clusters(clusters=["default"])["clusters"][0]["clusterArn"]
    ecs.tag_resource(resourceArn=cluster, tags=[{"key": "team", "value": "web"}])
    ecs.list_tags_for_resource(resourceArn=cluster)
    ecs.untag_resource(resourceArn=cluster, tagKeys=["team"])


def _clusters(world: World, ecs: Any) -> None:
    insights = [{"name": "containerInsights", "value": "disabled"}]
    ecs.create_cluster()
    ecs.create_cluster(
        clusterName="spare", settings=insights, tags=[{"key": "team", "value": "web"}]
    )
    ecs.update_cluster(cluster="spare", settings=insights)
    ecs.update_cluster_settings(cluster="spare", settings=insights)
    ecs.describe_clusters(clusters=["default", "spare"], include=["TAGS", "STATISTICS"])
    ecs.list_clusters(maxResults=1)
    with world.held_back():
        ecs.delete_cluster(cluster="spare")


def _settings(ecs: Any) -> None:
    setting = {"name": "containerInsights", "value": "disabled"}
    ecs.put_account_setting(**setting)
    ecs.put_account_setting_default(**setting)
    ecs.list_account_settings(effectiveSettings=True)
    ecs.delete_account_setting(name="containerInsights")


def _definitions(world: World, ecs: Any) -> None:
    container = {
        "name": "web",
        "image": "busybox",
        "cpu": 10,
        "memory": 32,
        "memoryReservation": 16,
        "essential": True,
        "command": ["sleep", "60"],
        "entryPoint": ["/bin/sh"],
        "environment": [{"name": "A", "value": "b"}],
        "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
        "stopTimeout": 5,
        "ulimits": [{"name": "nofile", "softLimit": 10, "hardLimit": 20}],
        "dockerLabels": {"a": "b"},
        "healthCheck": {"command": ["CMD", "true"], "interval": 5, "retries": 2},
    }
    sidecar = {
        "name": "side",
        "image": "busybox",
        "memory": 16,
        "essential": False,
        "dependsOn": [{"containerName": "web", "condition": "START"}],
    }
    for _ in range(3):
        ecs.register_task_definition(
            family="web",
            containerDefinitions=[container, sidecar],
            networkMode="bridge",
            placementConstraints=[{"type": "memberOf", "expression": "attribute:zone == a"}],
            tags=[{"key": "team", "value": "web"}],
        )
    for family in ("plain", "spare"):
        ecs.register_task_definition(family=family, containerDefinitions=[container])
    ecs.describe_task_definition(taskDefinition="web:1", include=["TAGS"])
    ecs.list_task_definitions(familyPrefix="web", sort="DESC", maxResults=2)
    ecs.list_task_definition_families(status="ACTIVE")
    ecs.deregister_task_definition(taskDefinition="web:2")
    with world.held_back():
        ecs.delete_task_definitions(taskDefinitions=["web:2"])
    with world.held_back():
        ecs.deregister_task_definition(taskDefinition="spare:1")


def _instances(api: Api, ecs: Any) -> None:
    resources = [
        {"name": "CPU", "type": "INTEGER", "integerValue": 4096},
        {"name": "MEMORY", "type": "INTEGER", "integerValue": 8192},
        {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22", "2375"]},
        {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
    ]
    arns = [
        ecs.register_container_instance(
            cluster="default",
            totalResources=resources,
            attributes=[{"name": "zone", "value": "a"}, *({"name": n} for n in CAPABILITIES)],
            versionInfo={"agentVersion": "1.0", "agentHash": "a", "dockerVersion": "20"},
            tags=[{"key": "team", "value": "web"}],
        )["containerInstance"]["containerInstanceArn"]
        for _ in range(3)
    ]
    with api.store.transaction() as tx:  # as if their agents had connected
        for arn in arns:
            instance = tx.get(CONTAINER_INSTANCES, arn)
            assert instance is not None
            tx.put(CONTAINER_INSTANCES, msgspec.structs.replace(instance, agent_connected=True))
    ecs.list_container_instances(filter="attribute:zone == a", maxResults=10)
    ecs.describe_container_instances(containerInstances=arns, include=["TAGS"])
    on_instance = {"name": "rack", "targetId": arns[0], "targetType": "container-instance"}
    ecs.put_attributes(attributes=[{**on_instance, "value": "one"}])
    ecs.list_attributes(targetType="container-instance", attributeName="rack")
    ecs.delete_attributes(attributes=[on_instance])
    ecs.update_container_instances_state(containerInstances=arns[2:], status="DRAINING")
    ecs.deregister_container_instance(containerInstance=arns[2], force=True)
    ecs.discover_poll_endpoint(containerInstance=arns[0], cluster="default")


def _tasks(ecs: Any) -> None:
    overrides = {
        "containerOverrides": [
            {"name": "web", "command": ["true"], "environment": [{"name": "A", "value": "c"}]}
        ],
    }
    run = ecs.run_task(
        taskDefinition="web",
        count=2,
        overrides=overrides,
        placementStrategy=[
            {"type": "spread", "field": "attribute:zone"},
            {"type": "binpack", "field": "memory"},
        ],
        placementConstraints=[{"type": "distinctInstance"}],
        startedBy="test",
        tags=[{"key": "team", "value": "web"}],
    )
    arns = [task["taskArn"] for task in run["tasks"]]
    assert len(arns) == 2, run["failures"]
    instances = ecs.list_container_instances()["containerInstanceArns"]
    started = ecs.start_task(
        taskDefinition="plain", containerInstances=instances[:1], overrides=overrides
    )
    assert started["tasks"], started
    ecs.describe_tasks(tasks=arns, include=["TAGS"])
    ecs.list_tasks(startedBy="test", desiredStatus="RUNNING")
    port = {"containerPort": 80, "hostPort": 32768, "bindIP": "0.0.0.0", "protocol": "tcp"}
    ecs.submit_container_state_change(
        task=arns[0], containerName="web", status="RUNNING", networkBindings=[port]
    )
    for task, status, code in ((arns[0], "RUNNING", None), (arns[1], "STOPPED", 1)):
        container: dict[str, Any] = {
            "containerName": "web",
            "runtimeId": "a" * 64,
            "status": status,
            "networkBindings": [port],
        }
        container |= {} if code is None else {"exitCode": code, "reason": "it ended"}
        ecs.submit_task_state_change(task=task, status=status, containers=[container])
    ecs.stop_task(task=started["tasks"][0]["taskArn"], reason="enough")


def _services(world: World, ecs: Any, target_group: str) -> None:
    ecs.create_service(
        serviceName="web",
        taskDefinition="web:1",
        desiredCount=2,
        loadBalancers=[
            {"targetGroupArn": target_group, "containerName": "web", "containerPort": 80}
        ],
        deploymentConfiguration={
            "minimumHealthyPercent": 50,
            "maximumPercent": 200,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        healthCheckGracePeriodSeconds=5,
        placementStrategy=[{"type": "random"}],
        placementConstraints=[{"type": "memberOf", "expression": "attribute:zone in [a, b]"}],
        tags=[{"key": "team", "value": "web"}],
        propagateTags="SERVICE",
    )
    ecs.create_service(serviceName="spare", taskDefinition="plain", desiredCount=1)
    world.act()
    ecs.update_service(service="web", taskDefinition="web:3", desiredCount=3)
    world.act()
    ecs.update_service(service="web", forceNewDeployment=True)
    described = ecs.describe_services(services=["web", "spare"], include=["TAGS"])["services"]
    ecs.list_services(maxResults=10)
    deployments = ecs.list_service_deployments(service="web")["serviceDeployments"]
    arns = [d["serviceDeploymentArn"] for d in deployments]
    ecs.describe_service_deployments(serviceDeploymentArns=arns)
    revisions = [d["targetServiceRevisionArn"] for d in deployments]
    ecs.describe_service_revisions(serviceRevisionArns=revisions)
    tasks = ecs.list_tasks()["taskArns"]
    ecs.update_task_protection(
        cluster="default", tasks=tasks, protectionEnabled=True, expiresInMinutes=5
    )
    ecs.get_task_protection(cluster="default", tasks=tasks)
    assert len(described) == 2
    with world.held_back():
        ecs.delete_service(service="spare", force=True)
    with world.held_back():  # its name is free, so it is accepted as it is
        ecs.create_service(serviceName="another", taskDefinition="plain", desiredCount=1)


def _logs(world: World) -> None:
    logs = world.client("logs")
    for name in ("/ecs/web", "spare"):
        logs.create_log_group(logGroupName=name, tags={"team": "web"})
        logs.create_log_stream(logGroupName=name, logStreamName="web/web/1")
    logs.put_retention_policy(logGroupName="/ecs/web", retentionInDays=7)
    logs.delete_retention_policy(logGroupName="/ecs/web")
    group = logs.describe_log_groups(logGroupNamePrefix="/ecs", limit=5)["logGroups"][0]
    event = {"timestamp": int(time.time() * 1000), "message": '{"level": "error"}'}
    stream = {"logGroupName": "/ecs/web", "logStreamName": "web/web/1"}
    logs.put_log_events(**stream, logEvents=[event, event])
    page = logs.get_log_events(**stream, limit=1, startFromHead=True)
    logs.get_log_events(**stream, nextToken=page["nextForwardToken"])
    found = {"logGroupName": "/ecs/web", "filterPattern": '{ $.level = "e*" && $.x NOT EXISTS }'}
    page = logs.filter_log_events(**found, limit=1)
    logs.filter_log_events(**found, nextToken=page["nextToken"])
    logs.describe_log_streams(logGroupName="/ecs/web", orderBy="LogStreamName")
    logs.tag_resource(resourceArn=group["logGroupArn"], tags={"stage": "test"})
    logs.list_tags_for_resource(resourceArn=group["logGroupArn"])
    logs.untag_resource(resourceArn=group["logGroupArn"], tagKeys=["stage"])
    logs.tag_log_group(logGroupName="/ecs/web", tags={"stage": "test"})
    logs.list_tags_log_group(logGroupName="/ecs/web")
    logs.untag_log_group(logGroupName="/ecs/web", tags=["stage"])
    with world.held_back():
        logs.delete_log_stream(logGroupName="spare", logStreamName="web/web/1")
    with world.held_back():
        logs.delete_log_group(logGroupName="spare")
