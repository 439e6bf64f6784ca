"""A task has a role only if the role is there and trusts tasks: at the API, in a service's events,
and when its agent is told."""

from __future__ import annotations

import json

from ecs_world import ARNS, World

from homeport.agentlink.role_credentials import RoleCredentialsIssuer
from homeport.domain.iam import Role
from homeport.domain.session import SessionMint
from homeport.scheduling.events import newest_events
from homeport.store.schema import ROLES, TASK_DEFINITIONS

ROLE = ARNS.iam("role/team/app")
TEXT = (
    f"ECS was unable to assume the role '{ROLE}' that was provided for this task. Please verify "
    "that the role being passed has the proper trust relationship and permissions and that your "
    "IAM user has permissions to pass this role."
)


def role(service: str = "ecs-tasks.amazonaws.com", **condition: object) -> Role:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
        **condition,
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return Role("app", "/team/", "AROA1", ROLE, 0.0, trust)


def world(member: str = "taskRoleArn", named: str = ROLE) -> World:
    world = World()
    world.define("app", document={member: named})
    world.register()
    return world


def test_a_role_that_there_is_not_or_that_trusts_others_is_refused() -> None:
    for member in ("taskRoleArn", "executionRoleArn"):
        this = world(member)
        assert this.refused("RunTask", taskDefinition="app") == ("ClientException", TEXT)
        this.put(ROLES, role("ec2.amazonaws.com"))
        assert this.refused("RunTask", taskDefinition="app") == ("ClientException", TEXT)
        this.put(ROLES, role())
        assert this("RunTask", taskDefinition="app")["tasks"]


def test_an_override_is_asked_instead() -> None:
    this = World()
    this.register()
    refused = this.refused("RunTask", taskDefinition="web", overrides={"taskRoleArn": ROLE})
    assert refused == ("ClientException", TEXT)
    this.put(ROLES, role())
    assert this("RunTask", taskDefinition="web", overrides={"taskRoleArn": ROLE})["tasks"]


def test_a_trust_policy_may_ask_for_the_account_and_for_ecs() -> None:
    this = world()
    account = ARNS.account_id
    source = f"arn:aws:ecs:us-east-1:{account}:*"
    this.put(
        ROLES,
        role(
            Condition={
                "ArnLike": {"aws:SourceArn": source},
                "StringEquals": {"aws:SourceAccount": account},
            }
        ),
    )
    assert this("RunTask", taskDefinition="app")["tasks"]
    this.put(ROLES, role(Condition={"StringEquals": {"aws:SourceAccount": "999999999999"}}))
    assert this.refused("RunTask", taskDefinition="app") == ("ClientException", TEXT)


def test_a_service_says_it_once_and_goes_on_when_the_role_is_there() -> None:
    this = world()
    this("CreateService", serviceName="app", taskDefinition="app", desiredCount=1)
    for _ in range(3):
        this.settle()
        this.now += 60
    arn = this.service("app").arn
    with this.store.transaction() as tx:
        events = [event.message for event in newest_events(tx, arn)]
    assert events == [f"(service app) failed to launch a task with (error {TEXT})."]
    this.put(ROLES, role())
    this.settle()
    assert len(this("ListTasks", serviceName="app")["taskArns"]) == 1


def test_an_agent_gets_no_credentials_of_a_role_that_is_gone() -> None:
    this = world(named="app")  # by name alone
    this.put(ROLES, role())
    task = this.task(this("RunTask", taskDefinition="app")["tasks"][0]["taskArn"])
    issuer = RoleCredentialsIssuer(SessionMint(bytes(32)))
    with this.store.transaction() as tx:
        definition = tx.get(TASK_DEFINITIONS, task.task_definition_arn)
        assert definition is not None
        given = issuer.of_task(tx, task, definition, this.now)
        assert given["TaskApplication"]["roleArn"] == ROLE
        tx.delete(ROLES, "app")
        assert issuer.of_task(tx, task, definition, this.now) == {}
