"""The pages that say what is there are true."""

from __future__ import annotations

from pathlib import Path

import pytest

from homeport.coverage import coverage_page
from homeport.services import OPERATIONS
from homeport.wire import model

ROOT = Path(__file__).resolve().parents[3]


def test_the_coverage_page_is_what_is_served() -> None:
    page = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert page == coverage_page(), "run scripts/coverage"


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_every_operation_is_one_of_botocores_model(service: str) -> None:
    assert OPERATIONS[service].keys() <= model.load(service).operation_names


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    import re

    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
