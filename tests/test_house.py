"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("bot", "digest", "knowledge", "cluster", "state", "core")


def modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def names_used(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    dotted = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return dotted | imported


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in modules(*PRODUCT)
        if names_used(path) & {"os.environ", "os.getenv", "os.environb"}
    }
    assert readers == set(), "bot/settings.py reads it through pydantic-settings"
    users = {
        str(path.relative_to(ROOT))
        for path in modules(*PRODUCT)
        if any(name.startswith("pydantic_settings.") for name in names_used(path))
    }
    assert users == {"bot/settings.py"}


def test_lower_packages_never_see_the_settings() -> None:
    for path in modules(*PRODUCT[1:]):
        assert "Settings" not in path.read_text(encoding="utf-8").replace("SettingsError", "")


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_our_own_code_is_never_mocked(path: Path) -> None:
    used = names_used(path)
    assert not {name for name in used if name.startswith(("unittest.mock", "mock."))}
    assert not used & {"pytest.mark.skip", "pytest.mark.xfail"}


def test_modules_stay_small() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in modules(*PRODUCT, "sandbox")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
        and "longer than others" not in path.read_text(encoding="utf-8")[:600]
    }
    assert not too_long, 'split them, or say in the docstring why one is "longer than others"'


def test_every_package_says_what_may_not_live_there() -> None:
    for package in (*PRODUCT, "sandbox"):
        tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
        docstring = ast.get_docstring(tree)
        assert docstring is not None
        assert any(word in docstring for word in ("not", "No ", "no ", "othing", "never", "nly"))


def test_nothing_names_a_registry_or_a_machine() -> None:
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "index" + "-url")
    for path in [*ROOT.glob("*.txt"), *ROOT.glob("*.toml"), *ROOT.glob("*.md"), ROOT / "Makefile"]:
        text = path.read_text(encoding="utf-8").replace("--no-emit-index-url", "")
        assert not [host for host in hosts if host in text], path.name
