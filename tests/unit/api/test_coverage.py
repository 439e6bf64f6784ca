"""The pages that say what is there are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homeport.coverage import coverage_page, definition_members, task_definition_page
from homeport.services import OPERATIONS
from homeport.services.ecs.definition_support import SUPPORT
from homeport.services.ecs.not_run_yet import CONTAINER_FEATURES, TASK_FEATURES
from homeport.wire import model

ROOT = Path(__file__).resolve().parents[3]


def test_the_coverage_page_is_what_is_served() -> None:
    page = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert page == coverage_page(), "run scripts/coverage"
    page = (ROOT / "docs" / "task-definition.md").read_text(encoding="utf-8")
    assert page == task_definition_page(), "run scripts/coverage"


def test_every_member_of_a_task_definition_is_accounted_for() -> None:
    assert sorted(SUPPORT) == sorted(definition_members())


@pytest.mark.parametrize("member", sorted(SUPPORT))
def test_what_is_said_of_a_member_can_be_looked_up(member: str) -> None:
    support = SUPPORT[member]
    if support.status == "done":
        file, _, test = support.detail.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")
    elif support.status == "refused":
        assert support.detail in {name for name, _ in (*TASK_FEATURES, *CONTAINER_FEATURES)}


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_every_operation_is_one_of_botocores_model(service: str) -> None:
    assert OPERATIONS[service].keys() <= model.load(service).operation_names


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    import re

    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


PAGES = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("page", ["README.md", *PAGES])
def test_what_a_page_points_to_is_there(page: str) -> None:
    """Links to files, and tests named in code spans."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::\w+)?`", text)
    missing += [test for test in named if not (ROOT / test).exists()]
    assert missing == []
