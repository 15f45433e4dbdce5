"""The YAML file named by OPSBOT_CONFIG: clusters by name, digest schedules, thresholds.

Its JSON schema is published as docs/config.schema.json. Secrets never stand in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.settings import CronLine, GroupId, UserId, ZoneName, describe_problems
from core.errors import SettingsError
from knowledge.yamltext import load_yaml

SourceName = Literal[
    "markdown", "csv-logs", "csv-metrics", "graph", "cluster", "prometheus", "past"
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClusterConfig(_Strict):
    """One cluster to read."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$", description="What the bot calls it.")
    kubeconfig: str = Field("", description="Path; empty: KUBECONFIG, or in-cluster.")
    context: str = Field("", description="Context in that file; empty: its current one.")
    namespaces: tuple[str, ...] = Field((), description="Only these are read; empty: all.")


class ScheduleConfig(_Strict):
    """One digest: where, when, about what."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,38}$", description="Its name in `/k8s status`."
    )
    kind: Literal["digest", "look-back"] = Field(
        "digest", description="look-back: what the last seven days of another digest were like."
    )
    of: str = Field("", description="look-back: the other digest's name; empty: the first one's.")
    channel: str = Field(min_length=1, description="Channel id or #name.")
    cron: CronLine = Field("0 9 * * *", description="minute hour day month weekday")
    timezone: ZoneName = Field("UTC", description="IANA name.")
    window_hours: int = Field(24, ge=1, le=336)
    minimum_severity: Literal["critical", "high", "medium"] = "high"
    max_items: int = Field(10, ge=1, le=20)
    clusters: tuple[str, ...] = Field((), description="Names from `clusters`; empty: all.")
    namespaces: tuple[str, ...] = Field((), description="Empty: all that are not denied.")
    teams: dict[str, str] = Field(
        default_factory=dict,
        description="Team of the service graph → channel that gets the team's items as well.",
    )
    when_quiet: Literal["line", "silence"] = Field(
        "line", description="What is posted where there is nothing to tell."
    )
    has_chart: bool = Field(default=True, description="A picture of the errors, in the thread.")
    is_urgent: bool | None = Field(
        None,
        description="Critical findings are posted at once; empty: for the first schedule alone.",
    )


class SourceFileConfig(_Strict):
    """One source of knowledge that needs more than a URI."""

    uri: str = Field(min_length=3, description="As in KNOWLEDGE_SOURCES.")
    link_template: str = Field(
        "", description="markdown, git: a page's web address, with {path} and {anchor}."
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="CSV: wanted name → column, where the guess is wrong."
    )
    queries: dict[str, str] = Field(
        default_factory=dict, description="neo4j: services, dependencies, teams, nodes → Cypher."
    )


class ScopeConfig(_Strict):
    """What may be seen somewhere; an empty list is no limit on that axis."""

    clusters: tuple[str, ...] = Field((), description="Names from `clusters`.")
    namespaces: tuple[str, ...] = Field((), description="Objects without one are always seen.")
    sources: tuple[SourceName, ...] = Field((), description="Kinds of evidence.")
    teams: tuple[str, ...] = Field((), description="Owners of pages and services.")


class CircleConfig(_Strict):
    """Some people."""

    users: tuple[UserId, ...] = Field((), description="User ids.")
    groups: tuple[GroupId, ...] = Field((), description="Ids of user groups.")


class AccessConfig(_Strict):
    """Who may see what where; who may ask at all stands in the settings SLACK_ALLOWED_…."""

    default: ScopeConfig = Field(
        default_factory=ScopeConfig, description="Every channel that is not named below."
    )
    direct: ScopeConfig | None = Field(None, description="Direct messages; empty: as default.")
    channels: dict[str, ScopeConfig] = Field(
        default_factory=dict, description="Channel id or #name → what may be seen there."
    )
    commands: dict[str, CircleConfig] = Field(
        default_factory=dict, description="Command → who may use it; others may not."
    )


class FileConfig(_Strict):
    """The whole file; every part is optional."""

    clusters: tuple[ClusterConfig, ...] = ()
    sources: tuple[SourceFileConfig, ...] = Field((), description="Besides KNOWLEDGE_SOURCES.")
    schedules: tuple[ScheduleConfig, ...] = ()
    denied_namespaces: tuple[str, ...] = Field((), description="Never read, whoever asks.")
    denied_kinds: tuple[str, ...] = Field(
        (), description="Kinds that are never read, such as Ingress; Event keeps no Events."
    )
    metric_queries: dict[str, str] = Field(
        default_factory=dict,
        description="Quantity, such as memory_bytes, → PromQL with $service and $namespace; "
        "besides memory_bytes, cpu_cores and restarts.",
    )
    access: AccessConfig = Field(
        default_factory=AccessConfig, description="Who may see what where; see access.md."
    )
    thresholds: dict[str, float] = Field(
        default_factory=dict, description="By the names in docs/configuration.md."
    )


def load_config_file(path: Path | None) -> FileConfig:
    """Read and check the file; no path gives the empty configuration.

    Raises:
        SettingsError: Naming the file, the place in it, the value and what is allowed.
    """
    if path is None:
        return FileConfig()
    asked = f"read the configuration file {path} (OPSBOT_CONFIG)"
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            asked, error.strerror or "it cannot be read", "Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(asked, "it is not UTF-8 text", "Save it as UTF-8.") from error
    except ValueError as error:
        raise SettingsError(asked, str(error), "Mend that line.") from error
    try:
        return FileConfig.model_validate(content if content is not None else {})
    except ValidationError as error:
        raise SettingsError(
            asked, describe_problems(error), "See docs/configuration.md for what is allowed."
        ) from error
