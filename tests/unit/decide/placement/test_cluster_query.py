"""The cluster query language: every subject, every operator, every way to say it."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from placement_records import instance

from homeport.decide.placement.cluster_query import QueryError, matches, parse

INSTANCE = instance(
    ec2_instance_id="i-0abc",
    agent_version="1.105.1",
    registered_at=1_529_361_748.0,  # 2018-06-18T22:42:28Z
    running_tasks_count=3,
    attributes={
        "ecs.instance-type": "g2.2xlarge",
        "ecs.availability-zone": "us-east-1a",
        "stack": "prod",
        "my/odd-name_1": "a b",
        "flag": None,
        "back\\slash": "x",
        "order": "in",
        "and": "or",
        "exists": "not",
        "size": "10",
        "email": "ops@example.com:22/a+b*c",
    },
    group_counts={"service:web": 2, "family:db": 1, "task:gone": 0},
)

TRUE = [
    "attribute:stack == prod",
    "attribute:stack equals prod",
    "attribute:stack != test",
    "attribute:stack not_equals test",
    "attribute:stack > a",
    "attribute:stack greater_than a",
    "attribute:stack >= prod",
    "attribute:stack greater_than_equal prod",
    "attribute:stack < z",
    "attribute:stack less_than z",
    "attribute:stack <= prod",
    "attribute:stack less_than_equal prod",
    "attribute:stack exists",
    "attribute:flag exists",
    "attribute:nothing !exists",
    "attribute:nothing not_exists",
    "attribute:stack in [test, prod]",
    "attribute:stack !in [test, dev]",
    "attribute:stack not_in [test]",
    "attribute:ecs.instance-type =~ g2.*",
    "attribute:ecs.instance-type matches g2.*",
    "attribute:ecs.instance-type !~ t2.*",
    "attribute:ecs.instance-type not_matches t2.*",
    "attribute:my/odd-name_1 == 'a b'",
    'attribute:my/odd-name_1 == "a b"',
    "agentConnected == true",
    "agentVersion > 1.9.0",
    "agentVersion >= 1.105.1",
    "agentVersion < 2",
    "ec2InstanceId in ['i-0abc', 'i-0def']",
    "ec2InstanceId == i-0abc",
    "registeredAt > 2018-06-18T22:28:28+00:00",
    "registeredAt >= 2018-06-18",
    "registeredAt < 2019-01-01T00:00:00Z",
    "runningTasksCount >= 3",
    "runningTasksCount < 10",
    "runningTasksCount == 3",
    "task:group == service:web",
    "task:group in [service:web, service:x]",
    "not(task:group == service:none)",
    "!(attribute:stack == test)",
    "attribute:stack == prod and attribute:flag exists",
    "attribute:stack == prod && attribute:flag exists",
    "attribute:stack == test or attribute:flag exists",
    "attribute:stack == test || attribute:flag exists",
    "(attribute:stack == test or attribute:stack == prod) and agentConnected == true",
    "attribute:stack == prod or attribute:stack == test and agentConnected == false",
    "not attribute:stack == test and attribute:flag exists",
    "attribute:nothing != x",
    "attribute:nothing !in [x]",
    "attribute:nothing !~ x.*",
    # a value may be any word, keywords too, and a name may begin with one or be one
    "attribute:order == in",
    "attribute:and == or",
    "attribute:and in [and, or, not]",
    "attribute:exists exists and attribute:exists == not",
    "not attribute:and == and",
    r"attribute:back\slash == x",
    "attribute:email == ops@example.com:22/a+b*c",
    "attribute:email == 'ops@example.com:22/a+b*c'",
    "attribute:size < 9",  # as text
    # a simple expression needs no space where none is in doubt, and may have any
    "attribute:stack==prod&&attribute:flag exists||agentConnected==false",
    " \n( attribute:stack\tin[prod,'x'] )and(attribute:flag exists) ",
    "!(!(attribute:stack==prod))",
    "! attribute:stack == test",
    "not not attribute:stack == prod",
    # quotes hold what a word can't
    "attribute:stack =~ 'p(r|x)od'",
    'attribute:stack =~ "pr[aeiou]d|p.{2}d"',
    "attribute:stack =~ ^prod$",
    'attribute:stack != "it\'s"',
    "attribute:stack != ''",
    # the other subjects
    "agentVersion == 1.105.1.0",
    "agentVersion equals 1.105.1",
    "agentVersion != 1.105",
    "agentVersion <= 1.105.1",
    "agentVersion less_than 1.1000",
    "agentConnected != false",
    "agentConnected in [true, maybe]",
    "agentConnected =~ t.*",
    "agentConnected not_matches f.*",
    "ec2InstanceId =~ i-0.*",
    "ec2InstanceId !~ i-1.*",
    "ec2InstanceId not_in [i-1, i-2]",
    "ec2InstanceId != i-1",
    "registeredAt == 2018-06-18T22:42:28Z",
    "registeredAt == 2018-06-18T22:42:28",
    "registeredAt == 2018-06-19T00:42:28+02:00",
    "registeredAt != 2018-06-18",
    "registeredAt less_than 2018-06-19",
    "registeredAt <= 2018-06-18T22:42:28Z",
    "registeredAt greater_than_equal 0001-01-01",
    "runningTasksCount != 4",
    "runningTasksCount > 2",
    "runningTasksCount <= 3",
    "runningTasksCount less_than_equal 3",
    "task:group != service:none",
    "task:group not_in [service:none]",
    "task:group =~ service:.*",
    "task:group matches .*:db",
    "task:group !~ task.*",
    # keywords and subjects in any case
    "attribute:stack EQUALS prod AND NOT attribute:stack In [test]",
    "EC2INSTANCEID == i-0abc Or RunningTasksCount == 9",
]
FALSE = [
    "attribute:stack == Prod",
    "attribute:stack in [test]",
    "attribute:stack =~ pro",  # the whole value must match
    "attribute:nothing == x",
    "attribute:nothing > a",
    "attribute:nothing in [x]",
    "attribute:nothing =~ .*",
    "attribute:nothing exists",
    "agentConnected == false",
    "agentVersion < 1.20.0",
    "ec2InstanceId == i-0",
    "runningTasksCount > 3",
    "registeredAt > 2019-01-01",
    "task:group == service:none",
    "attribute:stack == test and attribute:flag exists",
    "not attribute:stack == prod",
    "attribute:Stack exists",
    "attribute:stack !exists",
    "attribute:flag !exists",
    "attribute:flag == ''",
    "attribute:nothing <= z",
    "attribute:stack !~ p.*",
    "attribute:stack != prod",
    "attribute:stack not_in [prod]",
    "attribute:size > 9",
    "task:group != service:web",  # one of several
    "task:group =~ service",
    "task:group == task:gone",  # none of its tasks is left
    "agentVersion > 1.105.1",
    "agentConnected == TRUE",
    "(attribute:stack == prod or attribute:stack == test) and agentConnected == false",
    "not (attribute:stack == test or attribute:flag exists)",
]


@pytest.mark.parametrize("expression", TRUE)
def test_it_holds(expression: str) -> None:
    assert matches(parse(expression), INSTANCE)


@pytest.mark.parametrize("expression", FALSE)
def test_it_does_not_hold(expression: str) -> None:
    assert not matches(parse(expression), INSTANCE)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "attribute:stack",
        "attribute:stack ==",
        "attribute:stack === prod",
        "attribute:stack == prod and",
        "(attribute:stack == prod",
        "attribute:stack == prod)",
        "attribute:stack in prod",
        "attribute:stack == [prod]",
        "attribute: == x",
        "colour == red",
        "attribute:stack =~ (",
        "runningTasksCount == many",
        "registeredAt > yesterday",
        "agentConnected > true",
        "ec2InstanceId >= i-0",
        "runningTasksCount =~ 3",
        "attribute:stack == 'prod",
        "x" * 2001,
        " ",
        "()",
        "attribute:stack == prod or",
        "attribute:stack == prod attribute:flag exists",
        "attribute:stack == prod orattribute:flag exists",
        "attribute:stack exists prod",
        "attribute:stack in []",
        "attribute:stack in [prod,]",
        "attribute:stack in [prod",
        "attribute:stack notin [prod]",
        "attribute:stack ! in [prod]",
        "attribute:stack =~ a|b",  # needs quotes
        "attribute:stack = prod",
        "prod == attribute:stack",
        "attribute:stack == prod; attribute:flag exists",
        "task:group exists",
        "task:group > a",
        "agentConnected exists",
        "agentVersion exists",
        "agentVersion == v1.2",
        "agentVersion == 1..2",
        "agentVersion in [1.2]",
        "agentVersion =~ 1.*",
        "agentVersion > " + "9" * 1000,
        "registeredAt == 2018-13-01",
        "registeredAt in [2018-06-18]",
        "runningTasksCount == -1",
        "runningTasksCount == 1.5",
        "runningTasksCount == 1_0",
        "runningTasksCount == \u0661",  # a digit, but not one of ours
        "runningTasksCount == " + "9" * 1000,
        "runningTasksCount in [1]",
        "attribute:stack =~ '('",
        "attribute:stack =~ 'a{2000}'",
        "attribute:stack =~ '(?=a)'",
        r"attribute:stack =~ '(a)\1'",
        "attribute:stack =~ '" + "a" * 257 + "'",
        "attribute:stack =~ \ud800",
        "!" * 1900 + "attribute:stack exists",
        "not " * 480 + "attribute:stack exists",
    ],
)
def test_what_does_not_parse_says_so(expression: str) -> None:
    with pytest.raises(QueryError):
        parse(expression)


@pytest.mark.parametrize(
    ("expression", "where"),
    [
        ("", "end after character 0"),
        ("(", "end after character 1"),
        ("attribute:stack == prod or", "end after character 26"),
        ("attribute:stack === prod", "at character 19"),
        ("colour == red", "at character 1"),
    ],
)
def test_it_says_where_it_goes_wrong(expression: str, where: str) -> None:
    with pytest.raises(QueryError, match=where):
        parse(expression)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(.*)*x", ".*" * 100 + "x"])
def test_no_pattern_holds_up_the_control_plane(pattern: str) -> None:
    """A backtracking engine would try more ways than there are atoms."""
    victim = instance(attributes={"stack": "a" * 128})
    assert not matches(parse(f"attribute:stack =~ '{pattern}'"), victim)


def test_parentheses_may_be_as_deep_as_the_expression_is_long() -> None:
    assert matches(parse("(" * 900 + "attribute:stack == prod" + ")" * 900), INSTANCE)


SAME = {
    "==": "equals",
    "!=": "not_equals",
    ">": "greater_than",
    ">=": "greater_than_equal",
    "<": "less_than",
    "<=": "less_than_equal",
    "=~": "matches",
    "!~": "not_matches",
    "!in": "not_in",
    "!exists": "not_exists",
}
OPPOSITE = {"==": "!=", ">": "<=", "<": ">=", "=~": "!~", "in": "!in", "exists": "!exists"}
ORDER = ("==", "!=", ">", ">=", "<", "<=")
TEXT = ("==", "!=", "in", "!in", "=~", "!~")
ARGUMENTS = {
    "attribute:stack": ((*ORDER, *TEXT[2:], "exists", "!exists"), ("prod", "a", "z")),
    "agentConnected": (TEXT, ("true", "false")),
    "agentVersion": (ORDER, ("1.105.1", "1.9", "2.0.0")),
    "ec2InstanceId": (TEXT, ("i-0abc", "i-1")),
    "registeredAt": (ORDER, ("2018-06-18T22:42:28Z", "2017-01-01", "2019-01-01")),
    "runningTasksCount": (ORDER, ("3", "2", "4")),
    "task:group": (TEXT, ("service:web", "service:x")),
}
EVERYTHING = [
    (subject, operator, argument)
    for subject, (operators, arguments) in ARGUMENTS.items()
    for operator, argument in itertools.product(operators, arguments)
]


def say(subject: str, operator: str, argument: str) -> str:
    match operator.lower().removeprefix("!").removeprefix("not_"):
        case "in":
            return f"{subject} {operator} [{argument}]"
        case "exists":
            return f"{subject} {operator}"
    return f"{subject} {operator} {argument}"


@pytest.mark.parametrize(("subject", "operator", "argument"), EVERYTHING)
def test_words_and_signs_mean_the_same(subject: str, operator: str, argument: str) -> None:
    sign = parse(say(subject, operator, argument))
    assert parse(say(subject, SAME.get(operator, operator), argument)) == sign
    assert parse(say(subject, SAME.get(operator, operator).upper(), argument)) == sign


@pytest.mark.parametrize(
    ("subject", "operator", "argument"), [each for each in EVERYTHING if each[1] in OPPOSITE]
)
def test_opposite_operators_disagree(subject: str, operator: str, argument: str) -> None:
    one, other = (say(subject, o, argument) for o in (operator, OPPOSITE[operator]))
    assert matches(parse(one), INSTANCE) != matches(parse(other), INSTANCE)


@pytest.mark.parametrize(("subject", "operators"), [(s, o) for s, (o, _) in ARGUMENTS.items()])
def test_a_subject_has_its_operators_and_no_others(subject: str, operators: list[str]) -> None:
    argument = ARGUMENTS[subject][1][0]
    for operator in {*ORDER, *TEXT, "exists", "!exists"}:
        refused = contextlib.nullcontext()
        if operator not in operators:
            refused = pytest.raises(QueryError, match="does not support")
        with refused:
            parse(say(subject, operator, argument))


def test_an_instance_without_a_version_is_of_no_version() -> None:
    unknown = instance(agent_version="")
    held = [o for o in ORDER if matches(parse(f"agentVersion {o} 1.0"), unknown)]
    assert held == ["!="]


# An expression said in some way, and whether it holds of INSTANCE, by Python's own logic.
SPACE = st.sampled_from([" ", "  ", "\n", "\t "])
LEAF = st.sampled_from([("attribute:stack == prod", True), ("attribute:stack == test", False)])


@st.composite
def combined(draw: st.DrawFn, depth: int = 3) -> tuple[str, bool, int]:
    """Text, truth, and how tightly it binds: 0 or, 1 and, 2 not and what stands alone."""
    kind = draw(st.sampled_from(["leaf", "not", "and", "or"])) if depth else "leaf"
    if kind == "leaf":
        return (*draw(LEAF), 2)
    own = {"or": 0, "and": 1, "not": 2}[kind]
    count = 1 if kind == "not" else draw(st.integers(2, 3))
    parts = [draw(combined(depth - 1)) for _ in range(count)]
    # Parentheses where the meaning needs them, and now and then where it does not.
    texts = [
        f"({draw(SPACE)}{text})" if binds < own or draw(st.booleans()) else text
        for text, _, binds in parts
    ]
    truths = [truth for _, truth, _ in parts]
    if kind == "not":
        return draw(st.sampled_from(["!", "not ", "NOT "])) + texts[0], not truths[0], own
    joint = draw(st.sampled_from({"and": [" && ", " and ", " AND "], "or": [" || ", " or "]}[kind]))
    whole = f"{draw(SPACE)}{joint}{draw(SPACE)}".join(texts)
    return whole, all(truths) if kind == "and" else any(truths), own


@given(combined())
def test_logic_is_logic(said: tuple[str, bool, int]) -> None:
    text, truth, _ = said
    if len(text) <= 2000:
        assert matches(parse(text), INSTANCE) == truth


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(QueryError):
        matches(parse(text), INSTANCE)


PIECES = st.sampled_from(
    [
        *"()[]!,'\\",
        *("and", "or", "not", "&&", "||", "!", "exists", "in", "not_in", *SAME, *SAME.values()),
        *("attribute:stack", "agentVersion", "registeredAt", "runningTasksCount", "task:group"),
        *("prod", "'a b'", "1.2", "3", "2018-06-18", "p.*", "'(a|b)+'", "'['", "\ud800"),
    ]
)


@given(st.lists(PIECES, max_size=15))
def test_any_sequence_of_words_is_parsed_or_refused(pieces: list[str]) -> None:
    with contextlib.suppress(QueryError):
        matches(parse(" ".join(pieces)), INSTANCE)


@pytest.mark.parametrize("expression", [*TRUE, *FALSE])
def test_negation_turns_it_round(expression: str) -> None:
    assert matches(parse(f"not({expression})"), INSTANCE) != matches(parse(expression), INSTANCE)
