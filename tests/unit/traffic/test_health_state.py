"""The health of a target, check by check, as ELBv2's guide describes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.traffic.health_state import HEALTHY, INITIAL, Progress, matches, observe
from homeport.traffic.names import HostsFile
from homeport.traffic.probe import Outcome, Probe
from homeport.traffic.states import ListenerOutcome, load_balancer_state, readable_refusal

PROBE = Probe(
    address="10.0.0.1",
    port=80,
    tls=False,
    path="/",
    interval=30,
    timeout=5,
    healthy_threshold=3,
    unhealthy_threshold=2,
    matcher="200-299",
)


def states(outcomes: list[Outcome]) -> list[str]:
    seen, start = [], Progress(INITIAL)
    for outcome in outcomes:
        start = observe(start, outcome, PROBE)
        seen.append(start.verdict[0])
    return seen


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([200], ["healthy"]),
        ([500, 200], ["initial", "healthy"]),
        ([500, 500], ["initial", "unhealthy"]),
        ([200, 500, 200, 500, 500], ["healthy", "healthy", "healthy", "healthy", "unhealthy"]),
        (
            ["failed", "failed", 200, 200, 200],
            ["initial", "unhealthy", "unhealthy", "unhealthy", "healthy"],
        ),
        (
            ["failed", "failed", 200, 200, 500, 200, 200, 200],
            ["initial", *["unhealthy"] * 6, "healthy"],
        ),
    ],
)
def test_thresholds_count_checks_in_a_row(outcomes: list[Outcome], expected: list[str]) -> None:
    assert states(outcomes) == expected


@pytest.mark.parametrize(
    ("outcome", "reason", "description"),
    [
        (502, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [502]"),
        ("timeout", "Target.Timeout", "Request timed out"),
        ("failed", "Target.FailedHealthChecks", "Health checks failed"),
    ],
)
def test_the_reason_of_a_failure_is_told_in_awss_words(
    outcome: Outcome, reason: str, description: str
) -> None:
    progress = observe(observe(Progress(HEALTHY), outcome, PROBE), outcome, PROBE)
    assert progress.verdict == ("unhealthy", reason, description)


@pytest.mark.parametrize(
    ("matcher", "code", "expected"),
    [
        ("200", 200, True),
        ("200", 201, False),
        ("200,404", 404, True),
        ("200-299", 250, True),
        ("200-299", 300, False),
        ("200-204,301-302", 302, True),
    ],
)
def test_matchers_are_codes_lists_and_ranges(matcher: str, code: int, expected: bool) -> None:
    assert matches(matcher, code) is expected


@pytest.mark.parametrize(
    ("outcomes", "connected", "problem", "expected"),
    [
        ([], True, None, "active"),
        ([], False, None, None),
        ([ListenerOutcome(80, serves=False)], True, None, None),
        ([ListenerOutcome(80, serves=True)], True, None, "active"),
        ([ListenerOutcome(80, serves=False, trouble="taken")], True, None, "failed"),
        (
            [ListenerOutcome(80, serves=True), ListenerOutcome(81, False, "taken")],
            True,
            None,
            "active_impaired",
        ),
        ([], False, "no binary", "failed"),
    ],
)
def test_a_load_balancers_state_is_what_envoy_said(
    outcomes: list[ListenerOutcome], connected: bool, problem: str | None, expected: str | None
) -> None:
    answer = load_balancer_state(outcomes, connected, problem)
    assert (answer[0] if answer else None) == expected


def test_a_refused_port_says_what_to_do() -> None:
    text = readable_refusal("cannot bind '0.0.0.0:80': Permission denied", 80, "0.0.0.0")
    assert "ip_unprivileged_port_start" in text
    assert "another program uses it" in readable_refusal("Address already in use", 80, "x")


def test_names_live_in_a_block_of_their_own(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    ours, others = HostsFile(hosts, tmp_path / "ours"), HostsFile(hosts, tmp_path / "others")
    others.write("127.0.0.1", ["other.elb.localhost"])
    ours.write("127.0.0.1", ["b.elb.localhost", "a.elb.localhost"])
    ours.write("127.0.0.1", ["a.elb.localhost"])
    lines = hosts.read_text().splitlines()
    assert lines[0] == "127.0.0.1 localhost"
    assert lines.count("127.0.0.1 a.elb.localhost") == 1
    assert "127.0.0.1 b.elb.localhost" not in lines
    ours.remove()
    assert "127.0.0.1 other.elb.localhost" in hosts.read_text()
    others.remove()
    assert hosts.read_text() == "127.0.0.1 localhost\n"
