"""What users and role sessions may do, asked through the real gateway; refusals read like AWS's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_client import ACCOUNT, REGION, Api, refusal
from iam_world import (
    ADMIN,
    ECS_FULL,
    INSTANCE,
    TASKS,
    allow,
    make_role,
    make_user,
    policy,
    role_arn,
    statement,
    user_arn,
)

CONTAINER = {"name": "main", "image": "busybox", "memory": 64, "essential": True}
DEFINITION_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition"
CLUSTER_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    api.client("ecs").create_cluster(clusterName="blue")
    yield api
    api.close()


def text(name: str, action: str, resource: str = "*") -> str:
    return (
        f"User: {user_arn(name)} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def test_a_user_without_policies_may_only_ask_who_it_is(api: Api) -> None:
    key = make_user(api, "bob")
    assert api.client("sts", key).get_caller_identity()["Arn"] == user_arn("bob")
    assert refusal(api.client("ecs", key).list_clusters) == (
        "AccessDeniedException",
        text("bob", "ecs:ListClusters"),
    )
    assert refusal(api.client("iam", key).list_users) == (
        "AccessDenied",
        text("bob", "iam:ListUsers", f"arn:aws:iam::{ACCOUNT}:user/"),
    )
    assert refusal(api.client("elbv2", key).describe_load_balancers) == (
        "AccessDenied",
        text("bob", "elasticloadbalancing:DescribeLoadBalancers"),
    )
    code, message = refusal(api.client("ec2", key).describe_vpcs)
    assert code == "UnauthorizedOperation"
    assert message == (
        "You are not authorized to perform this operation. User: "
        f"{user_arn('bob')} is not authorized to perform: ec2:DescribeVpcs because no "
        "identity-based policy allows the ec2:DescribeVpcs action"
    )


def test_a_policy_allows_what_it_says_on_the_resource_it_says(api: Api) -> None:
    blue = f"{CLUSTER_ARN}/blue"
    ecs = api.client("ecs", make_user(api, "bob", allow("ecs:Describe*", blue)))
    assert ecs.describe_clusters(clusters=["blue"])["clusters"][0]["clusterName"] == "blue"
    assert refusal(ecs.describe_clusters, clusters=["blue", "green"]) == (
        "AccessDeniedException",
        text("bob", "ecs:DescribeClusters", f"{CLUSTER_ARN}/green"),
    )
    assert refusal(ecs.delete_cluster, cluster="blue") == (
        "AccessDeniedException",
        text("bob", "ecs:DeleteCluster", blue),
    )


def test_a_deny_statement_wins(api: Api) -> None:
    deny = policy(statement("Deny", "ecs:DeleteCluster"))
    ecs = api.client("ecs", make_user(api, "bob", deny, managed=(ADMIN,)))
    assert ecs.list_clusters()["clusterArns"]
    code, message = refusal(ecs.delete_cluster, cluster="blue")
    assert code == "AccessDeniedException"
    assert message == (
        f"User: {user_arn('bob')} is not authorized to perform: ecs:DeleteCluster on resource: "
        f"{CLUSTER_ARN}/blue with an explicit deny in an identity-based policy"
    )
    clusters = api.client("ecs").describe_clusters(clusters=["blue"])["clusters"]
    assert clusters[0]["status"] == "ACTIVE"


def test_a_change_of_policy_is_in_force_with_the_next_request(api: Api) -> None:
    iam, key = api.client("iam"), make_user(api, "bob")
    ecs = api.client("ecs", key)
    assert refusal(ecs.list_clusters)[0] == "AccessDeniedException"
    iam.attach_user_policy(UserName="bob", PolicyArn=ECS_FULL)
    assert ecs.list_clusters()
    iam.detach_user_policy(UserName="bob", PolicyArn=ECS_FULL)
    assert refusal(ecs.list_clusters)[0] == "AccessDeniedException"


def test_a_groups_policies_are_its_members(api: Api) -> None:
    iam, key = api.client("iam"), make_user(api, "bob")
    iam.create_group(GroupName="devs")
    iam.attach_group_policy(GroupName="devs", PolicyArn=ECS_FULL)
    iam.add_user_to_group(GroupName="devs", UserName="bob")
    assert api.client("ecs", key).list_clusters()
    iam.remove_user_from_group(GroupName="devs", UserName="bob")
    assert refusal(api.client("ecs", key).list_clusters)[0] == "AccessDeniedException"


@pytest.mark.parametrize("member", ["taskRoleArn", "executionRoleArn"])
def test_a_user_without_passrole_can_neither_register_nor_run(api: Api, member: str) -> None:
    make_role(api, "app")
    ecs = api.client("ecs", make_user(api, "bob", allow("ecs:*")))
    request = {"family": "web", "containerDefinitions": [CONTAINER], member: role_arn("app")}
    refused = ("AccessDeniedException", text("bob", "iam:PassRole", role_arn("app")))
    assert refusal(ecs.register_task_definition, **request) == refused
    assert api.client("ecs").list_task_definitions()["taskDefinitionArns"] == []

    api.client("ecs").register_task_definition(**request)
    assert refusal(ecs.run_task, cluster="blue", taskDefinition="web") == refused
    assert (
        refusal(ecs.start_task, cluster="blue", taskDefinition="web", containerInstances=["i"])
        == refused
    )
    service = {"cluster": "blue", "taskDefinition": "web"}
    assert refusal(ecs.create_service, serviceName="web", desiredCount=1, **service) == refused
    assert refusal(ecs.update_service, service="web", **service) == refused


def test_an_override_passes_its_role_too(api: Api) -> None:
    make_role(api, "app")
    api.client("ecs").register_task_definition(family="web", containerDefinitions=[CONTAINER])
    ecs = api.client("ecs", make_user(api, "bob", allow("ecs:*")))
    for member in ("taskRoleArn", "executionRoleArn"):
        assert refusal(
            ecs.run_task,
            cluster="blue",
            taskDefinition="web",
            overrides={member: role_arn("app")},
        ) == ("AccessDeniedException", text("bob", "iam:PassRole", role_arn("app")))


def test_passrole_is_asked_for_the_service_that_gets_the_role(api: Api) -> None:
    make_role(api, "app")
    request = {
        "family": "web",
        "containerDefinitions": [CONTAINER],
        "taskRoleArn": role_arn("app"),
    }

    def passing(service: str) -> str:
        condition = {"StringEquals": {"iam:PassedToService": service}}
        return allow("iam:PassRole", role_arn("*"), Condition=condition)

    wrong = make_user(api, "wrong", allow("ecs:*"), passing("ec2.amazonaws.com"))
    assert refusal(api.client("ecs", wrong).register_task_definition, **request) == (
        "AccessDeniedException",
        text("wrong", "iam:PassRole", role_arn("app")),
    )
    right = make_user(api, "right", allow("ecs:*"), passing("ecs-tasks.amazonaws.com"))
    assert api.client("ecs", right).register_task_definition(**request)
    # What the refusal of a run says next is not about permissions.
    code, _ = refusal(api.client("ecs", right).run_task, cluster="blue", taskDefinition="web")
    assert code != "AccessDeniedException"


def test_a_role_named_without_its_arn_is_passed_as_well(api: Api) -> None:
    make_role(api, "app", Path="/team/")
    ecs = api.client("ecs", make_user(api, "bob", allow("ecs:*")))
    code, message = refusal(
        ecs.register_task_definition,
        family="web",
        containerDefinitions=[CONTAINER],
        taskRoleArn="app",
    )
    assert (code, message) == (
        "AccessDeniedException",
        text("bob", "iam:PassRole", role_arn("team/app")),
    )


def test_a_definition_is_named_by_the_revision_that_would_run(api: Api) -> None:
    for _ in range(2):
        api.client("ecs").register_task_definition(family="web", containerDefinitions=[CONTAINER])
    first = allow("ecs:RunTask", f"{DEFINITION_ARN}/web:1")
    ecs = api.client("ecs", make_user(api, "bob", first))
    code, message = refusal(ecs.run_task, cluster="blue", taskDefinition="web")
    assert (code, message) == (
        "AccessDeniedException",
        text("bob", "ecs:RunTask", f"{DEFINITION_ARN}/web:2"),
    )
    code, _ = refusal(ecs.run_task, cluster="blue", taskDefinition="web:1")
    assert code != "AccessDeniedException"


def test_the_cluster_is_a_condition_key(api: Api) -> None:
    condition = {"ArnEquals": {"ecs:cluster": f"{CLUSTER_ARN}/blue"}}
    ecs = api.client("ecs", make_user(api, "bob", allow("ecs:ListTasks", Condition=condition)))
    assert ecs.list_tasks(cluster="blue")["taskArns"] == []
    assert refusal(ecs.list_tasks, cluster="green")[0] == "AccessDeniedException"
    assert refusal(ecs.list_tasks)[0] == "AccessDeniedException"


def test_tags_of_the_request_and_of_the_resource_are_condition_keys(api: Api) -> None:
    requested = {"StringEquals": {"aws:RequestTag/team": "a"}}
    owned = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    ecs = api.client(
        "ecs",
        make_user(
            api,
            "bob",
            allow(["ecs:CreateCluster", "ecs:TagResource"], Condition=requested),
            allow("ecs:DeleteCluster", Condition=owned),
        ),
    )
    mine, others = [{"key": "team", "value": "a"}], [{"key": "team", "value": "b"}]
    ecs.create_cluster(clusterName="mine", tags=mine)
    assert refusal(ecs.create_cluster, clusterName="x", tags=others)[0] == "AccessDeniedException"
    assert refusal(ecs.create_cluster, clusterName="x")[0] == "AccessDeniedException"
    ecs.delete_cluster(cluster="mine")
    assert refusal(ecs.delete_cluster, cluster="blue")[0] == "AccessDeniedException"


def test_tagging_at_creation_needs_the_permission_to_tag(api: Api) -> None:
    ecs = api.client("ecs", make_user(api, "bob", allow("ecs:CreateCluster")))
    ecs.create_cluster(clusterName="plain")
    code, message = refusal(
        ecs.create_cluster, clusterName="tagged", tags=[{"key": "a", "value": "b"}]
    )
    assert (code, message) == ("AccessDeniedException", text("bob", "ecs:TagResource"))


def test_an_arn_of_another_cluster_does_not_open_this_one(api: Api) -> None:
    """The operation acts on the last part of the ARN, in the cluster that the request names."""
    green = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/green"
    ecs = api.client("ecs", make_user(api, "bob", allow("ecs:*", f"{green}/*")))
    code, message = refusal(ecs.stop_task, cluster="blue", task=f"{green}/abc")
    assert code == "AccessDeniedException"
    assert "task/blue/abc" in message


def test_policy_variables_are_filled_in(api: Api) -> None:
    own = allow("iam:*AccessKey*", f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")
    make_user(api, "alice")
    iam = api.client("iam", make_user(api, "bob", own))
    assert len(iam.list_access_keys()["AccessKeyMetadata"]) == 1
    assert refusal(iam.list_access_keys, UserName="alice") == (
        "AccessDenied",
        text("bob", "iam:ListAccessKeys", user_arn("alice")),
    )


def test_a_boundary_bounds(api: Api) -> None:
    iam, key = api.client("iam"), make_user(api, "bob", managed=(ADMIN,))
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=ECS_FULL)
    assert api.client("ecs", key).list_clusters()
    assert refusal(api.client("iam", key).create_user, UserName="eve") == (
        "AccessDenied",
        f"User: {user_arn('bob')} is not authorized to perform: iam:CreateUser on resource: "
        f"{user_arn('eve')} because no permissions boundary allows the iam:CreateUser action",
    )


def test_a_request_that_names_nothing_needs_the_permission_too(api: Api) -> None:
    ecs = api.client("ecs", make_user(api, "bob"))
    assert refusal(ecs.describe_tasks, tasks=[])[0] == "AccessDeniedException"
    assert refusal(ecs.describe_services, services=[])[0] == "AccessDeniedException"


def test_a_secret_is_meant_by_its_whole_arn_however_it_is_named(api: Api) -> None:
    root = api.client("secretsmanager")
    app = root.create_secret(Name="app/db", SecretString="x")["ARN"]
    root.create_secret(Name="other", SecretString="y")
    only = allow("secretsmanager:GetSecretValue", app.rpartition("-")[0] + "-??????")
    bob = api.client("secretsmanager", make_user(api, "bob", only))
    assert bob.get_secret_value(SecretId="app/db")["SecretString"] == "x"
    assert bob.get_secret_value(SecretId=app)["SecretString"] == "x"
    assert refusal(bob.get_secret_value, SecretId="other")[0] == "AccessDeniedException"
    assert refusal(bob.batch_get_secret_value, SecretIdList=["other"])[0] == (
        "AccessDeniedException"
    )


def test_parameters_and_log_streams_are_resources(api: Api) -> None:
    root = api.client("ssm")
    for name in ("/app/a", "/other/b"):
        root.put_parameter(Name=name, Value="v", Type="String")
    api.client("logs").create_log_group(logGroupName="/ecs/app")
    api.client("logs").create_log_group(logGroupName="/ecs/other")
    here = f"{REGION}:{ACCOUNT}"
    key = make_user(
        api,
        "bob",
        allow("ssm:GetParameter*", f"arn:aws:ssm:{here}:parameter/app/*"),
        allow("logs:CreateLogStream", f"arn:aws:logs:{here}:log-group:/ecs/app:*"),
    )
    ssm, logs = api.client("ssm", key), api.client("logs", key)
    assert ssm.get_parameters(Names=["/app/a"])["Parameters"][0]["Value"] == "v"
    assert refusal(ssm.get_parameters, Names=["/app/a", "/other/b"]) == (
        "AccessDeniedException",
        text("bob", "ssm:GetParameters", f"arn:aws:ssm:{here}:parameter/other/b"),
    )
    logs.create_log_stream(logGroupName="/ecs/app", logStreamName="s")
    assert refusal(logs.create_log_stream, logGroupName="/ecs/other", logStreamName="s") == (
        "AccessDeniedException",
        text(
            "bob",
            "logs:CreateLogStream",
            f"arn:aws:logs:{here}:log-group:/ecs/other:log-stream:s",
        ),
    )


def test_the_managed_policy_of_container_instances_is_enough_for_an_agent(api: Api) -> None:
    key = make_user(api, "host", managed=(INSTANCE,))
    ecs, ec2 = api.client("ecs", key), api.client("ec2", key)
    instance = ecs.register_container_instance(
        cluster="blue",
        totalResources=[
            {"name": "CPU", "type": "INTEGER", "integerValue": 1024},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 512},
        ],
    )["containerInstance"]["containerInstanceArn"]
    assert ecs.discover_poll_endpoint(cluster="blue", containerInstance=instance)["endpoint"]
    # What it must know to route and to guard tasks with an interface of their own.
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert ec2.describe_security_groups()["SecurityGroups"]
    assert refusal(ec2.create_vpc, CidrBlock="10.0.0.0/16")[0] == "UnauthorizedOperation"
    assert refusal(ecs.run_task, cluster="blue", taskDefinition="x")[0] == "AccessDeniedException"


def test_who_is_no_agent_does_not_get_its_reads(api: Api) -> None:
    ec2 = api.client("ec2", make_user(api, "bob", allow("ecs:RunTask")))
    assert refusal(ec2.describe_network_interfaces)[0] == "UnauthorizedOperation"
    denied = policy(statement("Deny", "ec2:*"))
    ec2 = api.client("ec2", make_user(api, "host", denied, managed=(INSTANCE,)))
    assert refusal(ec2.describe_network_interfaces)[0] == "UnauthorizedOperation"


def test_to_put_a_role_into_an_instance_profile_is_to_pass_it(api: Api) -> None:
    make_role(api, "host", principal=TASKS)
    api.client("iam").create_instance_profile(InstanceProfileName="host")
    only = allow("iam:AddRoleToInstanceProfile")
    iam = api.client("iam", make_user(api, "bob", only))
    assert refusal(
        iam.add_role_to_instance_profile, InstanceProfileName="host", RoleName="host"
    ) == ("AccessDenied", text("bob", "iam:PassRole", role_arn("host")))


def test_a_bucket_of_operations_is_one_buckets(api: Api) -> None:
    root = api.client("s3")
    for name in ("mine", "others"):
        root.create_bucket(Bucket=name)
        root.put_object(Bucket=name, Key="app.env", Body=b"A=1")
    s3 = api.client(
        "s3",
        make_user(
            api,
            "bob",
            allow(["s3:GetObject"], "arn:aws:s3:::mine/*"),
            allow("s3:ListBucket", "arn:aws:s3:::mine"),
        ),
    )
    assert s3.get_object(Bucket="mine", Key="app.env")["Body"].read() == b"A=1"
    assert s3.list_objects_v2(Bucket="mine")["KeyCount"] == 1
    assert refusal(s3.get_object, Bucket="others", Key="app.env") == (
        "AccessDenied",
        f"User: {user_arn('bob')} is not authorized to perform: s3:GetObject on resource: "
        '"arn:aws:s3:::others/app.env" because no identity-based policy allows the '
        "s3:GetObject action",
    )
    assert refusal(s3.put_object, Bucket="mine", Key="x", Body=b"")[0] == "AccessDenied"
    assert (
        refusal(s3.delete_objects, Bucket="mine", Delete={"Objects": [{"Key": "app.env"}]})[0]
        == "AccessDenied"
    )
    assert refusal(s3.list_buckets)[0] == "AccessDenied"


def test_the_policies_that_tutorials_attach_are_enough_for_the_tutorials(api: Api) -> None:
    names = ("AmazonECS_FullAccess", "ElasticLoadBalancingFullAccess", "AmazonVPCFullAccess")
    managed = tuple(f"arn:aws:iam::aws:policy/{name}" for name in names)
    key = make_user(api, "bob", managed=managed)
    ecs, elbv2, ec2 = (api.client(name, key) for name in ("ecs", "elbv2", "ec2"))
    tags = [{"key": "team", "value": "a"}]
    ecs.create_cluster(clusterName="shop", tags=tags)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{z}")[
            "Subnet"
        ]["SubnetId"]
        for n, z in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    open_port = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**open_port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    balancer = elbv2.create_load_balancer(
        Name="web", Subnets=subnets, SecurityGroups=[group], Tags=[{"Key": "a", "Value": "b"}]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    targets = elbv2.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": targets}]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward
    )["Listeners"][0]["ListenerArn"]
    path = [{"Field": "path-pattern", "Values": ["/x"]}]
    rule = elbv2.create_rule(ListenerArn=listener, Conditions=path, Priority=1, Actions=forward)[
        "Rules"
    ][0]["RuleArn"]
    elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": rule, "Priority": 2}])
    port = [{"containerPort": 80}]
    ecs.register_task_definition(
        family="web", containerDefinitions=[{**CONTAINER, "portMappings": port}], tags=tags
    )
    ecs.create_service(
        cluster="shop",
        serviceName="web",
        taskDefinition="web",
        desiredCount=1,
        loadBalancers=[{"targetGroupArn": targets, "containerName": "main", "containerPort": 80}],
    )
    ecs.update_service(cluster="shop", service="web", desiredCount=0)
    assert ecs.describe_services(cluster="shop", services=["web"])["services"]
    ecs.delete_service(cluster="shop", service="web", force=True)
