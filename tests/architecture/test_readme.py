"""The README's tree is that of the repository, and its commands are in the Makefile."""

from __future__ import annotations

import re
import subprocess
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "docs/architecture.md")


def tree() -> set[str]:
    """Return the folders that the README's tree names."""
    [block] = re.findall(r"## The tree\n\n```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return {line.split("/")[0] for line in block.splitlines() if not line.startswith(" ")}


def test_the_tree_in_the_readme_names_exactly_the_folders() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {line.split("/")[0] for line in tracked.splitlines() if "/" in line}
    assert tree() == {folder for folder in folders if not folder.startswith(".")}


def test_every_make_command_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:^|`|\()make (?:-s )?([a-z0-9-]+)", (ROOT / page).read_text(), re.MULTILINE))
        assert named <= targets, page


def pages() -> list[Path]:
    """Return the Markdown files of the repository."""
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in tracked.splitlines()]


def anchors(page: Path) -> set[str]:
    """Return the fragments that GitHub gives to the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {anchor_of(heading) for heading in headings}


def anchor_of(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_link_to_a_file_has_a_target() -> None:
    for page in pages():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_link_to_a_heading_has_a_target() -> None:
    for page in pages():
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
            linked = page.parent / target if target else page
            assert linked.suffix != ".md" or anchor in anchors(linked), f"{page.name}: {target}#{anchor}"


def section_of(page: Path, anchor: str) -> str:
    """Return the text of a page from a heading to the next one of its level or above."""
    parts = re.split(r"^(#+ .+)$", page.read_text(), flags=re.MULTILINE)
    headings = [(part, text) for part, text in zip(parts[1::2], parts[2::2], strict=True)]
    [first] = [number for number, (heading, _) in enumerate(headings) if anchor_of(heading.lstrip("# ")) == anchor]
    level = len(headings[first][0].split(" ")[0])
    rest = headings[first + 1 :]
    below = takewhile(lambda each: len(each[0].split(" ")[0]) > level, rest)
    return headings[first][1] + "".join(text for _, text in below)


def test_each_figure_of_the_readme_is_in_the_section_that_it_links_to() -> None:
    rows = re.findall(r"^\| (.+) \| (.+) \| .*\(docs/benchmarks\.md#(.+)\) \|$", (ROOT / "README.md").read_text(), re.M)
    assert len(rows) == 6
    for what, figures, anchor in rows:
        measured = set(re.findall(r"\d[\d,.]*\d|\d", section_of(ROOT / "docs/benchmarks.md", anchor)))
        assert set(re.findall(r"\d[\d,.]*\d|\d", figures.replace("p50", "").replace("p99", ""))) <= measured, what
