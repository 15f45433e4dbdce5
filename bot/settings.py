"""Every setting, read once. The only module that looks at the environment.

Values come from the environment, then from `.env`; what does not fit one line stands in the YAML
file named by OPSBOT_CONFIG (see `bot.config_file`). Lower packages never see `Settings`.
It is longer than others, because it names every setting once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import SettingsError

SECRET_SETTINGS = frozenset(
    {
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
        "LLM_API_KEY",
        "QDRANT_API_KEY",
        "NEO4J_PASSWORD",
        "ALERTMANAGER_TOKEN",
        "ALERT_WEBHOOK_TOKEN",
        "PROMETHEUS_TOKEN",
        "LOKI_TOKEN",
        "STATE_URL",
        "REDACTION_KEY",
    }
)


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:  # it is read from a file of that name
        raise ValueError("it is not an IANA time zone, such as Europe/Berlin or UTC") from error
    return value


def _check_cron(value: str) -> str:
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  (slow to import)

    try:
        CronTrigger.from_crontab(value, timezone=ZoneInfo("UTC"))
    except ValueError as error:
        raise ValueError(
            f"it is not a cron line of five fields, such as '0 9 * * 1-5' ({error})"
        ) from error
    return value


CommaList = Annotated[tuple[str, ...], NoDecode]
ZoneName = Annotated[str, AfterValidator(_check_zone)]
CronLine = Annotated[str, AfterValidator(_check_cron)]


_USER_ID = r"^[UW][A-Z0-9]{2,}$"
_GROUP_ID = r"^S[A-Z0-9]{2,}$"
UserId = Annotated[str, StringConstraints(pattern=_USER_ID)]
GroupId = Annotated[str, StringConstraints(pattern=_GROUP_ID)]


def _all_fit(pattern: str, example: str) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        wrong = next((value for value in values if not re.match(pattern, value)), None)
        if wrong is not None:
            raise ValueError(f"{wrong} is not an id, such as {example}")
        return values

    return check


UserIds = Annotated[CommaList, AfterValidator(_all_fit(_USER_ID, "U0123ABC"))]
GroupIds = Annotated[CommaList, AfterValidator(_all_fit(_GROUP_ID, "S0123ABC"))]


class Settings(BaseSettings):
    """The bot's settings; the field `slack_mode` is the environment's `SLACK_MODE`, and so on."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
    )

    slack_bot_token: SecretStr | None = Field(None, description="Bot token, `xoxb-…`.")
    slack_app_token: SecretStr | None = Field(
        None, description="App-level token, `xapp-…`, for Socket Mode."
    )
    slack_signing_secret: SecretStr | None = Field(None, description="For HTTP mode.")
    slack_mode: Literal["socket", "http"] = Field(
        "socket", description="How Slack reaches the bot: `socket` needs no open port."
    )
    slack_api_url: str = Field(
        "https://slack.com/api/", description="Web API address; another one for a local workspace."
    )
    slack_command: str = Field(
        "/k8s", pattern=r"^/[a-z0-9_-]{1,31}$", description="The slash command."
    )
    slack_owner: str = Field(
        "",
        pattern=r"^([UW][A-Z0-9]{2,})?$",
        description="User id: whom a refusal names, and who is told of digests not posted.",
    )
    slack_allowed_channels: CommaList = Field(
        (),
        description="Channels, by id or #name, where the bot answers besides direct messages; "
        "empty: wherever it is. See access.md.",
    )
    slack_allowed_users: UserIds = Field(
        (), description="User ids of those whom it answers; empty: every full member."
    )
    slack_allowed_groups: GroupIds = Field(
        (),
        description="Ids of user groups whose members it answers; needs `usergroups:read`.",
    )
    slack_allowed_guests: UserIds = Field(
        (), description="Guests and people of other organisations whom it answers all the same."
    )
    slack_shared_channels: CommaList = Field(
        (), description="Channels shared with another organisation where it may speak."
    )
    slack_alert_channels: CommaList = Field(
        (),
        description="Channels, by id or #name, where an alert that Alertmanager, Grafana or "
        "PagerDuty posts gets its runbook, owner and facts as a reply; empty: none.",
    )
    slack_alert_replies: int = Field(
        5, ge=1, le=50, description="Such replies in a channel within ten minutes, at most."
    )
    slack_follow_up_channels: CommaList = Field(
        (),
        description="Channels, by id or #name, where a question in a thread that the bot has "
        "answered in needs no mention; empty: none.",
    )
    audit_questions: bool = Field(
        default=False, description="Write what was asked into the audit log too."
    )
    http_host: str = Field("127.0.0.1", description="Address to listen on in HTTP mode.")
    http_port: int = Field(3000, ge=1, le=65535, description="Port to listen on in HTTP mode.")
    metrics_host: str = Field("127.0.0.1", description="Address of METRICS_PORT.")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Serves `/metrics`, `/healthz` and `/readyz`; 0: nowhere. See operating.md.",
    )

    llm_model: str = Field(
        "auto",
        description="`auto` (Ollama's llama3.1, else its first chat model, else extractive), "
        "`extractive` (no model) or `provider:name`, such as `ollama:llama3.1`.",
    )
    ollama_base_url: str = Field("http://127.0.0.1:11434", description="Where Ollama answers.")
    llm_base_url: str = Field(
        "", description="An OpenAI-compatible server, such as vLLM, for `openai:NAME`."
    )
    llm_api_key: SecretStr | None = Field(None, description="Key for that server.")
    llm_temperature: float = Field(0.1, ge=0, le=2, description="0 repeats itself, 2 rambles.")
    llm_max_tokens: int = Field(700, ge=16, le=32_768, description="Longest answer, in tokens.")
    llm_stop: CommaList = Field((), description="Stop sequences, separated by commas.")
    llm_context_tokens: int = Field(
        8192, ge=1024, le=1_048_576, description="Room for prompt and answer together, in tokens."
    )
    llm_timeout_seconds: float = Field(
        90, gt=0, le=900, description="After this an answer without the model is given."
    )

    llm_parallel: int = Field(
        1,
        ge=1,
        le=64,
        description="Answers the model works on at once; one suits Ollama on one machine.",
    )
    llm_queue: int = Field(
        20, ge=0, le=1000, description="Questions that may wait; more are answered without it."
    )

    embed_model: str = Field(
        "minilm",
        pattern=r"^(minilm|none|ollama:.+|openai:.+)$",
        description="`minilm` (in the process), `ollama:nomic-embed-text` and the like, or `none`.",
    )
    qdrant_url: str = Field("", description="A Qdrant server; empty for the embedded engine.")
    qdrant_api_key: SecretStr | None = Field(None, description="Key for that server.")
    qdrant_ca_file: Path | None = Field(
        None, description="Certificate authority of that server; empty: the system's own."
    )
    qdrant_timeout_seconds: int = Field(
        10, ge=1, le=300, description="Longest that one request to it takes."
    )
    qdrant_shards: int = Field(
        1, ge=1, le=1024, description="Shards of a collection made on that server."
    )
    qdrant_replicas: int = Field(
        1, ge=1, le=64, description="Copies of each shard, on different nodes of the server."
    )
    qdrant_int8: bool = Field(
        default=False, description="Search int8 vectors in memory beside the full ones there."
    )
    qdrant_on_disk: bool = Field(default=False, description="Keep the full vectors on disk there.")
    qdrant_path: Path | None = Field(
        None, description="Folder of the embedded engine; `qdrant` in the data folder by default."
    )
    knowledge_sources: CommaList = Field(
        (),
        description="What the bot knows, separated by commas: `markdown:DIR`, "
        "`git:URL@REF#FOLDER`, `csv-logs:GLOB`, `csv-metrics:GLOB`, `graph:FILE`, "
        "`backstage:DIR`, `neo4j://USER@HOST/DATABASE`; see sources.md.",
    )
    knowledge_link_template: str = Field(
        "",
        description="Web address of a Markdown page, with `{path}` and `{anchor}`; a source's own "
        "`link_template` counts more.",
    )
    neo4j_password: SecretStr | None = Field(None, description="Password for `neo4j://` sources.")

    kubeconfig: str = Field(
        "", description="As for kubectl; empty: in-cluster, else ~/.kube/config."
    )
    kube_contexts: CommaList = Field(
        (), description="Contexts to read, separated by commas; empty: the current one."
    )
    events_retention_hours: int = Field(
        72, ge=1, le=336, description="For so long Events are kept; clusters keep them an hour."
    )
    pod_log_window_hours: int = Field(
        24, ge=1, le=720, description="How far back logs of running containers are read."
    )
    pod_log_megabytes: int = Field(
        64, ge=1, le=1024, description="Of a longer log its beginning and its end are read."
    )
    pod_log_last_lines: int = Field(
        1000, ge=1, le=100_000, description="That end, and what is read of a log that is silent."
    )
    pod_log_timeout_seconds: float = Field(
        20,
        gt=0,
        le=600,
        description="After this a log is read no further; for a question after 4 s at most.",
    )
    pod_logs: int = Field(
        200, ge=0, le=10_000, description="Logs of a cluster searched for errors in one digest."
    )
    pod_logs_timeout_seconds: float = Field(
        60, gt=0, le=3600, description="After this the rest of them is given up, and told."
    )
    alertmanager_url: str = Field(
        "", description="An Alertmanager whose alerts are findings; empty: none is asked."
    )
    alertmanager_token: SecretStr | None = Field(None, description="Bearer token for it.")
    alert_webhook_token: SecretStr | None = Field(
        None,
        description="With it, Alertmanager may post alerts to `/alerts` on HTTP_HOST:HTTP_PORT.",
    )
    prometheus_url: str = Field(
        "", description="A Prometheus to ask when a question asks for numbers; empty: none."
    )
    prometheus_token: SecretStr | None = Field(None, description="Bearer token for it.")
    loki_url: str = Field(
        "", description="A Loki to look up errors of healthy containers in; empty: none."
    )
    loki_token: SecretStr | None = Field(None, description="Bearer token for it.")
    loki_tenant: str = Field("", description="Its tenant, sent as X-Scope-OrgID; empty: none.")
    loki_selector: str = Field(
        '{namespace=~".+"}',
        pattern=r"^\{.+\}$",
        description="Which of its streams are a cluster's; `$cluster` stands for the name.",
    )
    kube_tls_secrets: bool = Field(
        default=False,
        description="List TLS Secrets and tell of certificates that end; needs the right to.",
    )

    state_url: SecretStr | None = Field(
        None,
        description="`sqlite+aiosqlite:///FILE` (default, in the data folder) or "
        "`postgresql+asyncpg://…`.",
    )
    redaction_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Marks redacted secrets; the same for all replicas. Empty: a key in the data "
        "folder.",
    )
    digest_channel: str = Field(
        "", description="The ops channel, by id or #name; empty: no digest."
    )
    digest_cron: CronLine = Field("0 9 * * *", description="When: minute hour day month weekday.")
    digest_timezone: ZoneName = Field(
        "UTC", description="IANA name of the time zone of DIGEST_CRON."
    )
    digest_window_hours: int = Field(
        24, ge=1, le=336, description="A digest covers the time since the last one, at most this."
    )
    digest_when_quiet: Literal["line", "silence"] = Field(
        "line", description="What is posted where there is nothing to tell."
    )
    digest_chart: bool = Field(
        default=True, description="A picture of the errors in its thread; needs files:write."
    )
    digest_urgent: bool = Field(
        default=True, description="Critical findings are posted at once, before the next digest."
    )
    feedback_days: int = Field(
        365,
        ge=1,
        le=3650,
        description="For so long votes, what they were on, and kept answers are remembered.",
    )
    opsbot_data_dir: Path = Field(Path(".opsbot"), description="Where the bot keeps its data.")
    opsbot_config: Path | None = Field(None, description="YAML file for what fits no line.")
    opsbot_log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged on standard error."
    )
    opsbot_log_format: Literal["text", "json"] = Field(
        "text", description="`json`: one object a line, for a log collector."
    )
    otel_exporter_otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="Address of an OpenTelemetry collector that gets traces by OTLP/HTTP, "
        "such as `http://collector:4318`; empty: none.",
    )
    trace_questions: bool = Field(
        default=False, description="Write what was asked into the traces too."
    )

    @field_validator(
        "llm_stop",
        "knowledge_sources",
        "kube_contexts",
        "slack_allowed_channels",
        "slack_allowed_users",
        "slack_allowed_groups",
        "slack_allowed_guests",
        "slack_shared_channels",
        "slack_alert_channels",
        "slack_follow_up_channels",
        mode="before",
    )
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("llm_model")
    @classmethod
    def _known_model_form(cls, value: str) -> str:
        provider, _, name = value.partition(":")
        if value not in {"auto", "extractive"} and not (provider and name):
            raise ValueError("allowed are auto, extractive, or provider:name (ollama:llama3.1)")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of schedules and of the times that people type."""
        return ZoneInfo(self.digest_timezone)

    @property
    def qdrant_folder(self) -> Path:
        """Where the embedded engine keeps its points."""
        return self.qdrant_path or self.opsbot_data_dir / "qdrant"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the state database."""
        if self.state_url is not None:
            return self.state_url.get_secret_value()
        return f"sqlite+aiosqlite:///{(self.opsbot_data_dir / 'state.db').resolve()}"


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` (by field name) win over environment and `.env`.

    Raises:
        SettingsError: Naming every wrong setting, its value (secrets left out) and what is allowed.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise SettingsError(
            "read the settings",
            describe_problems(error),
            "Correct them in the environment or .env.",
        ) from error


def describe_problems(error: ValidationError) -> str:
    """One clause per wrong setting: name, value, what is allowed."""
    return "; ".join(
        _describe(".".join(str(part) for part in problem["loc"]), problem["input"], problem["msg"])
        for problem in error.errors()
    )


def _describe(path: str, value: object, message: str) -> str:
    name = path.upper() if "." not in path else path
    shown = "(a secret)" if name in SECRET_SETTINGS else repr(value)[:120]
    return f"{name} is {shown}: {message.removeprefix('Value error, ')}"
