"""What a user of boto3 sees of ELBv2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from api_client import Api, refusal
from botocore.exceptions import ClientError

from homeport.domain.container_instance import ContainerInstance
from homeport.store.schema import CONTAINER_INSTANCES, LOAD_BALANCERS


class Elb:
    """A client with the default VPC's facts at hand."""

    def __init__(self) -> None:
        self.api = Api()
        self.client = self.api.client("elbv2")
        subnets = self.api.client("ec2").describe_subnets()["Subnets"]
        self.subnets = [s["SubnetId"] for s in subnets]
        self.vpc_id = subnets[0]["VpcId"]

    def load_balancer(self, name: str = "web", **more: Any) -> Any:
        answer = self.client.create_load_balancer(Name=name, Subnets=self.subnets[:2], **more)
        return answer["LoadBalancers"][0]

    def target_group(self, name: str = "web", **more: Any) -> Any:
        settings = {"Protocol": "HTTP", "Port": 80, "VpcId": self.vpc_id, **more}
        return self.client.create_target_group(Name=name, **settings)["TargetGroups"][0]

    def listener(self, load_balancer: Any, port: int = 80, **more: Any) -> Any:
        actions = more.pop("actions", None) or [fixed("404")]
        return self.client.create_listener(
            LoadBalancerArn=load_balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=port,
            DefaultActions=actions,
            **more,
        )["Listeners"][0]


def fixed(code: str, **more: str) -> dict[str, Any]:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": code, **more}}


def forward(*groups: Any) -> dict[str, Any]:
    weighted = [{"TargetGroupArn": g["TargetGroupArn"], "Weight": 1} for g in groups]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}


@pytest.fixture
def elb() -> Iterator[Elb]:
    elb = Elb()
    yield elb
    elb.api.close()


def test_a_load_balancer_is_provisioning_until_something_serves_it(elb: Elb) -> None:
    created = elb.load_balancer()
    assert created["State"] == {"Code": "provisioning"}
    assert re.fullmatch(r"web-\d{10}\.us-east-1\.elb\.localhost", created["DNSName"])
    assert re.search(r":loadbalancer/app/web/[0-9a-f]{16}$", created["LoadBalancerArn"])
    assert [z["ZoneName"] for z in created["AvailabilityZones"]] == ["us-east-1a", "us-east-1b"]
    assert len(created["SecurityGroups"]) == 1
    described = elb.client.describe_load_balancers(Names=["web"])["LoadBalancers"]
    assert described == [created]


def test_the_same_request_is_the_same_load_balancer_another_is_refused(elb: Elb) -> None:
    created = elb.load_balancer()
    assert elb.load_balancer()["LoadBalancerArn"] == created["LoadBalancerArn"]
    code, message = refusal(elb.load_balancer, Scheme="internal")
    assert code == "DuplicateLoadBalancerName"
    assert message == "A load balancer with the specified name already exists."


@pytest.mark.parametrize(
    ("settings", "code", "word"),
    [
        ({"Name": "x" * 33}, "ValidationError", "32"),
        ({"Name": "-web"}, "ValidationError", "hyphen"),
        ({"Name": "internal-web"}, "ValidationError", "internal-"),
        ({"Subnets": []}, "ValidationError", "two subnets"),
        ({"Subnets": ["subnet-0", "subnet-1"]}, "SubnetNotFound", "subnet-0"),
        ({"SecurityGroups": ["sg-0"]}, "InvalidConfigurationRequest", "sg-0"),
        ({"Type": "network"}, "InvalidConfigurationRequest", "Type"),
        ({"IpAddressType": "dualstack"}, "InvalidConfigurationRequest", "IpAddressType"),
    ],
)
def test_a_wrong_load_balancer_is_refused_by_name(
    elb: Elb, settings: dict[str, Any], code: str, word: str
) -> None:
    request = {"Name": "web", "Subnets": elb.subnets[:2], **settings}
    refused, message = refusal(elb.client.create_load_balancer, **request)
    assert (refused, word in message) == (code, True), message
    assert elb.client.describe_load_balancers()["LoadBalancers"] == []


def test_deletion_protection_protects(elb: Elb) -> None:
    arn = elb.load_balancer()["LoadBalancerArn"]
    elb.client.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
    )
    assert refusal(elb.client.delete_load_balancer, LoadBalancerArn=arn)[0] == (
        "OperationNotPermitted"
    )
    elb.client.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
    )
    elb.client.delete_load_balancer(LoadBalancerArn=arn)
    elb.client.delete_load_balancer(LoadBalancerArn=arn)
    code, _ = refusal(elb.client.describe_load_balancers, LoadBalancerArns=[arn])
    assert code == "LoadBalancerNotFound"


def test_attributes_have_defaults_and_refuse_what_is_unknown(elb: Elb) -> None:
    arn = elb.target_group()["TargetGroupArn"]
    answer = elb.client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    attributes = {a["Key"]: a["Value"] for a in answer}
    assert attributes["deregistration_delay.timeout_seconds"] == "300"
    for key, value, code in (
        ("no.such.key", "1", "ValidationError"),
        ("deregistration_delay.timeout_seconds", "3601", "InvalidConfigurationRequest"),
        ("deregistration_delay.timeout_seconds", "soon", "InvalidConfigurationRequest"),
    ):
        refused, message = refusal(
            elb.client.modify_target_group_attributes,
            TargetGroupArn=arn,
            Attributes=[{"Key": key, "Value": value}],
        )
        assert (refused, key in message) == (code, True)


def test_a_port_belongs_to_one_load_balancer(elb: Elb) -> None:
    first, second = elb.load_balancer("first"), elb.load_balancer("second")
    elb.listener(first, 80)
    assert refusal(elb.listener, load_balancer=first, port=80)[0] == "DuplicateListener"
    code, message = refusal(elb.listener, load_balancer=second, port=80)
    assert code == "InvalidConfigurationRequest"
    assert "'first'" in message
    elb.client.delete_load_balancer(LoadBalancerArn=first["LoadBalancerArn"])
    elb.listener(second, 80)


def test_a_listener_says_what_it_does(elb: Elb) -> None:
    group = elb.target_group()
    listener = elb.listener(elb.load_balancer(), 80, actions=[forward(group)])
    (action,) = listener["DefaultActions"]
    assert action["TargetGroupArn"] == group["TargetGroupArn"]
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": False}
    used = elb.client.describe_target_groups(Names=["web"])["TargetGroups"][0]
    assert used["LoadBalancerArns"] == [listener["LoadBalancerArn"]]
    code, message = refusal(elb.client.delete_target_group, TargetGroupArn=group["TargetGroupArn"])
    assert code == "ResourceInUse"
    assert "currently in use by a listener or a rule" in message


def test_a_target_group_serves_one_load_balancer_only(elb: Elb) -> None:
    group = elb.target_group()
    elb.listener(elb.load_balancer("first"), 80, actions=[forward(group)])
    code, _ = refusal(
        elb.listener, load_balancer=elb.load_balancer("second"), port=81, actions=[forward(group)]
    )
    assert code == "TargetGroupAssociationLimit"


@pytest.mark.parametrize(
    ("action", "code", "word"),
    [
        ({"Type": "teleport"}, "ValidationError", "teleport"),
        ({"Type": "forward"}, "ValidationError", "TargetGroupArn"),
        (fixed("302"), "InvalidLoadBalancerAction", "StatusCode"),
        (fixed("200", ContentType="image/png"), "InvalidLoadBalancerAction", "ContentType"),
        (fixed("200", MessageBody="é" * 600), "InvalidLoadBalancerAction", "MessageBody"),
        (
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}},
            "InvalidLoadBalancerAction",
            "loop",
        ),
        (
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Port": "http"}},
            "InvalidLoadBalancerAction",
            "Port",
        ),
    ],
)
def test_a_wrong_action_is_refused_by_name(
    elb: Elb, action: dict[str, Any], code: str, word: str
) -> None:
    load_balancer = elb.load_balancer()
    refused, message = refusal(elb.listener, load_balancer=load_balancer, actions=[action])
    assert (refused, word in message) == (code, True), message
    arn = load_balancer["LoadBalancerArn"]
    assert elb.client.describe_listeners(LoadBalancerArn=arn)["Listeners"] == []


def test_rules_are_listed_by_priority_the_default_last(elb: Elb) -> None:
    listener = elb.listener(elb.load_balancer())["ListenerArn"]
    for priority in (20, 3):
        elb.client.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}/*"]}],
            Actions=[fixed("200")],
        )
    rules = elb.client.describe_rules(ListenerArn=listener)["Rules"]
    assert [r["Priority"] for r in rules] == ["3", "20", "default"]
    assert rules[0]["Conditions"][0]["PathPatternConfig"] == {"Values": ["/3/*"]}
    default = rules[-1]["RuleArn"]
    assert elb.client.describe_rules(RuleArns=[default])["Rules"] == [rules[-1]]
    assert refusal(elb.client.delete_rule, RuleArn=default)[0] == "OperationNotPermitted"
    elb.client.set_rule_priorities(
        RulePriorities=[
            {"RuleArn": rules[0]["RuleArn"], "Priority": 20},
            {"RuleArn": rules[1]["RuleArn"], "Priority": 3},
        ]
    )
    swapped = elb.client.describe_rules(ListenerArn=listener)["Rules"]
    assert [r["RuleArn"] for r in swapped[:2]] == [rules[1]["RuleArn"], rules[0]["RuleArn"]]
    code, message = refusal(
        elb.client.set_rule_priorities,
        RulePriorities=[{"RuleArn": rules[0]["RuleArn"], "Priority": 3}],
    )
    assert (code, message) == ("PriorityInUse", "The specified priority is in use.")


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ({"Field": "colour", "Values": ["red"]}, "colour"),
        ({"Field": "path-pattern", "Values": []}, "condition value"),
        ({"Field": "path-pattern", "Values": ["/a b"]}, "path-pattern"),
        ({"Field": "host-header", "Values": ["localhost"]}, "host-header"),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1"]}}, "source-ip"),
        ({"Field": "http-header", "HttpHeaderConfig": {"Values": ["x"]}}, "HttpHeaderName"),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}},
            "http-request-method",
        ),
        ({"Field": "path-pattern", "Values": ["x" * 129]}, "128"),
    ],
)
def test_a_wrong_condition_is_refused_by_name(
    elb: Elb, condition: dict[str, Any], word: str
) -> None:
    listener = elb.listener(elb.load_balancer())["ListenerArn"]
    code, message = refusal(
        elb.client.create_rule,
        ListenerArn=listener,
        Priority=1,
        Conditions=[condition],
        Actions=[fixed("200")],
    )
    assert (code, word in message) == ("ValidationError", True), message
    assert len(elb.client.describe_rules(ListenerArn=listener)["Rules"]) == 1


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"VpcId": "vpc-0"}, "VpcId"),
        ({"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5}, "smaller"),
        ({"HealthCheckIntervalSeconds": 301}, "301"),
        ({"HealthyThresholdCount": 11}, "11"),
        ({"HealthCheckPath": "health"}, "path"),
        ({"HealthCheckPort": "any"}, "port"),
        ({"Matcher": {"HttpCode": "500"}}, "200-499"),
    ],
)
def test_a_wrong_target_group_is_refused_by_name(
    elb: Elb, settings: dict[str, Any], word: str
) -> None:
    code, message = refusal(elb.target_group, **settings)
    assert (code, word in message) == ("ValidationError", True), message
    assert elb.client.describe_target_groups()["TargetGroups"] == []


def test_a_health_check_can_be_changed(elb: Elb) -> None:
    group = elb.target_group()
    assert group["Matcher"] == {"HttpCode": "200"}
    changed = elb.client.modify_target_group(
        TargetGroupArn=group["TargetGroupArn"],
        HealthCheckPath="/ok",
        HealthCheckIntervalSeconds=10,
        Matcher={"HttpCode": "200-299,301"},
    )["TargetGroups"][0]
    assert changed["HealthCheckPath"] == "/ok"
    assert changed["HealthCheckIntervalSeconds"] == 10
    assert changed["HealthCheckTimeoutSeconds"] == 5
    assert changed["Matcher"] == {"HttpCode": "200-299,301"}


def test_targets_are_unused_until_a_listener_forwards_to_them(elb: Elb) -> None:
    group = elb.target_group(TargetType="ip")
    arn = group["TargetGroupArn"]
    elb.client.register_targets(TargetGroupArn=arn, Targets=[{"Id": "172.17.0.1", "Port": 8080}])
    (seen,) = elb.client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert seen["Target"] == {"Id": "172.17.0.1", "Port": 8080}
    assert seen["HealthCheckPort"] == "8080"
    assert seen["TargetHealth"]["Reason"] == "Target.NotInUse"
    elb.listener(elb.load_balancer(), 80, actions=[forward(group)])
    (seen,) = elb.client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert seen["TargetHealth"]["State"] == "initial"
    assert seen["TargetHealth"]["Reason"] == "Elb.RegistrationInProgress"
    elb.client.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "172.17.0.1"}])
    (seen,) = elb.client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert seen["TargetHealth"]["State"] == "draining"
    (other,) = elb.client.describe_target_health(
        TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 1}]
    )["TargetHealthDescriptions"]
    assert other["TargetHealth"]["Reason"] == "Target.NotRegistered"


def test_a_container_instance_is_registered_by_its_ec2_id(elb: Elb) -> None:
    instance = ContainerInstance(
        arn="arn:aws:ecs:us-east-1:123456789012:container-instance/default/1",
        cluster_arn="arn:aws:ecs:us-east-1:123456789012:cluster/default",
        ec2_instance_id="i-0123456789abcdef0",
        private_ip="172.17.0.1",
        availability_zone="us-east-1a",
        registered_at=0.0,
        cpu=1,
        memory=1,
    )
    with elb.api.store.transaction() as tx:
        tx.put(CONTAINER_INSTANCES, instance)
    arn = elb.target_group()["TargetGroupArn"]
    target = [{"Id": "i-0123456789abcdef0", "Port": 32768}]
    elb.client.register_targets(TargetGroupArn=arn, Targets=target)
    (seen,) = elb.client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert seen["Target"]["AvailabilityZone"] == "us-east-1a"
    code, message = refusal(
        elb.client.register_targets, TargetGroupArn=arn, Targets=[{"Id": "i-0", "Port": 1}]
    )
    assert (code, "i-0" in message) == ("InvalidTarget", True)


@pytest.mark.parametrize("address", ["8.8.8.8", "not-an-address", "127.0.0.1", "::1"])
def test_only_private_addresses_can_be_targets(elb: Elb, address: str) -> None:
    arn = elb.target_group(TargetType="ip")["TargetGroupArn"]
    code, message = refusal(
        elb.client.register_targets, TargetGroupArn=arn, Targets=[{"Id": address}]
    )
    assert (code, address in message) == ("ValidationError", True)


def test_every_kind_of_resource_has_tags(elb: Elb) -> None:
    load_balancer = elb.load_balancer(Tags=[{"Key": "team", "Value": "web"}])
    listener = elb.listener(load_balancer)
    rule = elb.client.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=[fixed("200")],
    )["Rules"][0]
    arns = [
        load_balancer["LoadBalancerArn"],
        listener["ListenerArn"],
        rule["RuleArn"],
        elb.target_group()["TargetGroupArn"],
    ]
    elb.client.add_tags(ResourceArns=arns, Tags=[{"Key": "stage", "Value": "test"}])
    elb.client.remove_tags(ResourceArns=arns, TagKeys=["team"])
    described = elb.client.describe_tags(ResourceArns=arns)["TagDescriptions"]
    assert [d["ResourceArn"] for d in described] == arns
    assert all(d["Tags"] == [{"Key": "stage", "Value": "test"}] for d in described)


def test_lists_are_paged(elb: Elb) -> None:
    for number in range(5):
        elb.target_group(f"group-{number}")
    pages = list(
        elb.client.get_paginator("describe_target_groups").paginate(
            PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["TargetGroups"]) for page in pages] == [2, 2, 1]


def test_the_waiters_of_boto3_wait_for_observed_state(elb: Elb) -> None:
    arn = elb.load_balancer()["LoadBalancerArn"]
    waiter = elb.client.get_waiter("load_balancer_available")
    with pytest.raises(Exception, match="Max attempts"):
        waiter.wait(LoadBalancerArns=[arn], WaiterConfig={"Delay": 0, "MaxAttempts": 2})
    with elb.api.store.transaction() as tx:
        record = tx.get(LOAD_BALANCERS, arn)
        assert record is not None
        tx.put(LOAD_BALANCERS, msgspec.structs.replace(record, state="active"))
    waiter.wait(LoadBalancerArns=[arn], WaiterConfig={"Delay": 0, "MaxAttempts": 1})


def test_what_is_not_there_yet_says_so(elb: Elb) -> None:
    with pytest.raises(ClientError, match="Homeport does not implement elbv2:CreateTrustStore"):
        elb.client.create_trust_store(
            Name="x", CaCertificatesBundleS3Bucket="b", CaCertificatesBundleS3Key="k"
        )
