from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.config_file import FileConfig, load_config_file
from core.errors import SettingsError


def test_no_file_is_the_empty_configuration() -> None:
    assert load_config_file(None) == FileConfig()


def test_an_empty_file_is_the_empty_configuration(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("# nothing yet\n")
    assert load_config_file(tmp_path / "c.yaml") == FileConfig()


def test_clusters_and_schedules_are_read(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        """
clusters:
  - {name: prod, context: prod-eu}
schedules:
  - {name: morning, channel: "#ops", cron: "0 8 * * 1-5", timezone: Europe/Berlin}
denied_namespaces: [kube-system]
"""
    )
    config = load_config_file(file)
    assert config.clusters[0].context == "prod-eu"
    assert config.schedules[0].timezone == "Europe/Berlin"
    assert config.schedules[0].minimum_severity == "high"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("schedules: [{name: a, channel: x, cron: nope}]", r"schedules\.0\.cron is 'nope'.*five"),
        ("schedules: [{name: a, channel: x, timezone: Mars}]", r"schedules\.0\.timezone.*IANA"),
        ("clusters: [{name: Prod}]", r"clusters\.0\.name is 'Prod'"),
        ("colour: red", r"COLOUR is 'red'.*[Ee]xtra"),
        ("clusters: [", r"no YAML at line 2"),
    ],
)
def test_a_mistake_names_file_place_and_value(tmp_path: Path, text: str, hint: str) -> None:
    file = tmp_path / "opsbot.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=hint) as caught:
        load_config_file(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_config_file(tmp_path / "absent.yaml")


def test_the_published_schema_is_that_of_the_code() -> None:
    published = Path(__file__).parents[2] / "docs" / "config.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == FileConfig.model_json_schema()
