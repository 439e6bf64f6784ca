"""IAM policies allow what IAM's user guide says they do, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.decide.policy import (
    Caller,
    Decision,
    MalformedPolicy,
    Policy,
    Question,
    Trust,
    evaluate,
    evaluate_trust,
    parse,
    parse_trust,
)
from homeport.decide.policy_conditions import compile_pattern, matches

ACCOUNT = "123456789012"
CLUSTER = f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/blue"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
ALLOW, IMPLICIT, EXPLICIT = Decision.ALLOW, Decision.IMPLICIT_DENY, Decision.EXPLICIT_DENY


def policy(*statements: dict[str, object], version: str = "2012-10-17") -> Policy:
    return parse(json.dumps({"Version": version, "Statement": list(statements)}))


def statement(effect: str = "Allow", **fields: object) -> dict[str, object]:
    whole: dict[str, object] = {"Effect": effect, **fields}
    if "NotAction" not in whole:
        whole.setdefault("Action", "*")
    if "NotResource" not in whole:
        whole.setdefault("Resource", "*")
    return whole


def ask(
    *policies: Policy, action: str = "ecs:DescribeClusters", resource: str = CLUSTER, **keys: str
) -> Decision:
    context = {name.replace("__", ":").lower(): (value,) for name, value in keys.items()}
    return evaluate(policies, Question(action, resource, context))


def test_nothing_is_allowed_without_a_policy() -> None:
    assert ask() is IMPLICIT


def test_a_deny_wins_wherever_it_stands() -> None:
    allow, deny = policy(statement()), policy(statement("Deny", Action="ecs:Describe*"))
    assert ask(allow, deny) is EXPLICIT
    assert ask(deny, allow) is EXPLICIT
    assert ask(allow, deny, action="ecs:ListTasks") is ALLOW


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Action": "ecs:DescribeClusters"}, ALLOW),
        ({"Action": "ECS:describeclusters"}, ALLOW),
        ({"Action": ["s3:*", "ecs:Describe*"]}, ALLOW),
        ({"Action": "ecs:DescribeCluster?"}, ALLOW),
        ({"Action": "ecs:DescribeCluster"}, IMPLICIT),
        ({"NotAction": "iam:*"}, ALLOW),
        ({"NotAction": ["iam:*", "ecs:*"]}, IMPLICIT),
        ({"Resource": CLUSTER}, ALLOW),
        ({"Resource": CLUSTER.upper()}, IMPLICIT),
        ({"Resource": "arn:aws:ecs:*:*:cluster/b*"}, ALLOW),
        ({"Resource": "arn:aws:ecs:*:*:cluster/g*"}, IMPLICIT),
        ({"Resource": "arn:aws:ecs"}, ALLOW),
        ({"Resource": "arn:aws:s3"}, IMPLICIT),
        ({"NotResource": CLUSTER}, IMPLICIT),
        ({"NotResource": "arn:aws:s3:::*"}, ALLOW),
    ],
)
def test_actions_and_resources(fields: dict[str, object], expected: Decision) -> None:
    assert ask(policy(statement(**fields))) is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["x", "a"], "a", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringNotEquals", ["a", "b"], "a", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringNotEquals", "a", None, True),
        ("StringLike", "a*", "ab", True),
        ("StringNotLike", "a*", "ab", False),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThan", 10, "10", False),
        ("NumericGreaterThanEquals", "10", "10.0", True),
        ("NumericEquals", "10", "ten", False),
        ("DateLessThan", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "1767225600", "2025-12-31T23:59:59Z", False),
        ("DateLessThan", "today", "2026-01-01T00:00:00Z", False),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.0/8", "11.1.2.3", False),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
        ("NotIpAddress", "10.0.0.0/8", "11.1.2.3", True),
        ("ArnLike", "arn:aws:ecs:*:*:cluster/*", CLUSTER, True),
        ("ArnLike", "arn:aws:*:cluster/blue", CLUSTER, False),
        ("ArnNotLike", "arn:aws:s3:::*", CLUSTER, True),
        ("Null", "true", None, True),
        ("Null", "true", "a", False),
        ("Null", "false", "a", True),
        ("ForAnyValue:StringEquals", "a", None, False),
        ("ForAllValues:StringEquals", "a", None, True),
    ],
)
def test_conditions(operator: str, wanted: object, value: str | None, expected: bool) -> None:
    rule = policy(statement(Condition={operator: {"test:Key": wanted}}))
    keys = {} if value is None else {"test__key": value}
    assert (ask(rule, **keys) is ALLOW) == expected


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("a", "c"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAnyValue:StringNotEquals", ("a", "c"), True),
    ],
)
def test_conditions_on_several_values(
    operator: str, values: tuple[str, ...], expected: bool
) -> None:
    rule = policy(statement(Condition={operator: {"aws:TagKeys": ["a", "b"]}}))
    answer = evaluate([rule], Question("ecs:TagResource", "*", {"aws:tagkeys": values}))
    assert (answer is ALLOW) == expected


def test_all_conditions_must_hold() -> None:
    rule = policy(statement(Condition={"StringEquals": {"k:a": "1", "k:b": "2"}}))
    assert ask(rule, k__a="1", k__b="2") is ALLOW
    assert ask(rule, k__a="1", k__b="3") is IMPLICIT


def test_variables_are_filled_in_as_plain_text() -> None:
    own = policy(statement(Resource=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"))
    assert ask(own, resource=ALICE, aws__username="alice") is ALLOW
    assert ask(own, resource=ALICE, aws__username="bob") is IMPLICIT
    assert ask(own, resource=ALICE, aws__username="*") is IMPLICIT
    assert ask(own, resource=ALICE) is IMPLICIT


def test_an_allow_whose_variable_is_unknown_never_applies() -> None:
    others = {"NotResource": "arn:aws:s3:::${aws:username}"}
    assert ask(policy(statement(**others))) is IMPLICIT
    assert ask(policy(statement()), policy(statement("Deny", **others))) is EXPLICIT


def test_a_variable_may_have_a_default_and_needs_the_version() -> None:
    rule = statement(Resource="team-${aws:PrincipalTag/team, 'none'}")
    assert ask(policy(rule), resource="team-none") is ALLOW
    literal = policy(statement(Resource="team-${aws:username}"), version="2008-10-17")
    assert ask(literal, resource="team-alice", aws__username="alice") is IMPLICIT
    assert ask(literal, resource="team-${aws:username}", aws__username="alice") is ALLOW


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "Syntax errors in policy."),
        ("[]", "Syntax errors in policy."),
        ('{"Statement": []}', "Syntax errors in policy."),
        ('{"Version": "2020-01-01", "Statement": []}', "Syntax errors in policy."),
        (json.dumps({"Statement": {"Effect": "Maybe"}}), "Syntax errors in policy."),
        (json.dumps({"Statement": {"Effect": "Allow", "Resource": "*"}}), "must contain actions"),
        (json.dumps({"Statement": {"Effect": "Allow", "Action": "*"}}), "must contain resources"),
        (json.dumps({"Statement": statement(Principal="*")}), "Has prohibited field Principal"),
        (json.dumps({"Statement": statement(Action="ListTasks")}), "prefaced by a vendor"),
        (json.dumps({"Statement": statement(Action=[])}), "Syntax errors in policy."),
        (json.dumps({"Statement": statement(Action=[1])}), "Syntax errors in policy."),
        (json.dumps({"Statement": statement(Condition={"Is": {}})}), "Syntax errors in policy."),
    ],
)
def test_what_is_not_a_policy_is_refused(document: str, text: str) -> None:
    with pytest.raises(MalformedPolicy, match=text):
        parse(document)


def trust(principal: object, effect: str = "Allow", **fields: object) -> dict[str, object]:
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", **fields}


def assume(caller: Caller, *statements: dict[str, object], **keys: str) -> Trust:
    document = parse_trust(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    context = {name.replace("__", ":").lower(): (value,) for name, value in keys.items()}
    return evaluate_trust(document, caller, Question("sts:AssumeRole", "*", context))


def test_a_role_is_assumed_by_those_it_trusts() -> None:
    tasks = Caller(ACCOUNT, service="ecs-tasks.amazonaws.com")
    alice = Caller(ACCOUNT, arns=(ALICE,))
    for_tasks = trust({"Service": "ecs-tasks.amazonaws.com"})
    assert assume(tasks, for_tasks) is Trust.ALLOW
    assert assume(alice, for_tasks) is Trust.IMPLICIT_DENY
    assert assume(alice, trust({"AWS": ALICE})) is Trust.ALLOW
    assert assume(alice, trust({"AWS": ALICE}), trust("*", "Deny")) is Trust.EXPLICIT_DENY
    assert assume(tasks, trust({"AWS": "*"})) is Trust.IMPLICIT_DENY


@pytest.mark.parametrize("account", [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"])
def test_trust_in_the_account_leaves_it_to_the_identity_policy(account: str) -> None:
    alice = Caller(ACCOUNT, arns=(ALICE,))
    assert assume(alice, trust({"AWS": account})) is Trust.DELEGATED
    assert assume(alice, trust({"AWS": [account, ALICE]})) is Trust.ALLOW


def test_conditions_of_a_trust_policy_count() -> None:
    tasks = Caller(ACCOUNT, service="ecs-tasks.amazonaws.com")
    only = {"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:*"}}
    rule = trust({"Service": "ecs-tasks.amazonaws.com"}, Condition=only)
    assert assume(tasks, rule) is Trust.IMPLICIT_DENY
    assert assume(tasks, rule, aws__sourcearn=CLUSTER) is Trust.ALLOW


def test_a_trust_policy_has_a_principal_and_no_resource() -> None:
    tasks = Caller(ACCOUNT, service="ecs-tasks.amazonaws.com")
    with pytest.raises(MalformedPolicy, match="Has prohibited field Resource"):
        assume(tasks, trust("*", Resource="*"))
    with pytest.raises(MalformedPolicy, match="Missing required field Principal"):
        assume(tasks, {"Effect": "Allow", "Action": "sts:AssumeRole"})


PATTERNS = st.sampled_from(["*", "ecs:*", "ecs:List*", "ecs:ListTasks", "iam:*", "ecs:?un*"])
ACTIONS = st.sampled_from(["ecs:ListTasks", "ecs:RunTask", "iam:PassRole", "s3:GetObject"])
STATEMENTS = st.builds(
    lambda effect, action, negate: statement(
        effect, **{"NotAction" if negate else "Action": action}
    ),
    st.sampled_from(["Allow", "Deny"]),
    PATTERNS,
    st.booleans(),
)


@given(st.lists(STATEMENTS, min_size=1, max_size=6), ACTIONS, st.randoms())
def test_the_order_of_statements_does_not_matter(statements, action, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(statements)
    random.shuffle(shuffled)
    apart = [policy(each) for each in shuffled]
    assert ask(policy(*statements), action=action) is ask(*apart, action=action)


@given(st.lists(STATEMENTS, min_size=1, max_size=6), STATEMENTS, ACTIONS)
def test_one_more_deny_never_allows_more(statements, more, action) -> None:  # type: ignore[no-untyped-def]
    before = ask(policy(*statements), action=action)
    after = ask(policy(*statements, {**more, "Effect": "Deny"}), action=action)
    assert after is before or after is EXPLICIT


@given(
    st.text("ab:*?", max_size=8),
    st.text("ab:", max_size=8),
)
def test_a_resource_matches_as_its_pattern_does(text: str, value: str) -> None:
    """Plain texts and beginnings have a quick way of their own."""
    pattern = compile_pattern(text, {}, variables=False)
    if not text:
        return  # refused by ``parse``
    allowed = ask(policy(statement(Resource=text)), resource=value)
    assert (allowed is ALLOW) == matches(pattern, value)
