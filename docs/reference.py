"""Writes what the docs repeat of the code: `make docs`. With --check it only compares.

Each generated part stands between two comments in its page, so the words around it stay ours.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from typer.main import get_command

from bot.cli import app
from bot.commands.table import COMMANDS
from bot.config_file import FileConfig
from bot.services import EdgeLimits
from bot.settings import SECRET_SETTINGS, Settings
from cluster.thresholds import Thresholds

HERE = Path(__file__).parent
CHART_SCHEMA = HERE.parent / "deploy" / "helm" / "opsbot" / "values.schema.json"
# What the chart sets by itself, from values of its own.
CHART_OWNS = frozenset(
    {
        "HTTP_HOST",
        "HTTP_PORT",
        "KUBECONFIG",
        "KUBE_TLS_SECRETS",
        "METRICS_HOST",
        "METRICS_PORT",
        "OPSBOT_CONFIG",
        "OPSBOT_DATA_DIR",
        "QDRANT_PATH",
    }
)


def settings_table() -> str:
    """One row per setting: environment name, default, what it is."""
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if default in (None, "", (), PydanticUndefined):
            shown = ""
        elif isinstance(default, SecretStr):
            raise TypeError(f"{name} has a secret as its default")
        else:
            shown = f"`{default}`"
        rows.append(f"| `{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)


def thresholds_table() -> str:
    """One row per threshold of the detectors."""
    rows = ["| threshold | default |", "|---|---|"]
    defaults = Thresholds()
    rows += [
        f"| `{name}` | {getattr(defaults, name)} |" for name in Thresholds.__dataclass_fields__
    ]
    return "\n".join(rows)


def commands_table() -> str:
    """One row per subcommand of `opsbot`, those of its groups included."""
    rows = ["| command | what it does |", "|---|---|"]
    for name, command in _commands("opsbot", get_command(app)):
        usage = " ".join(
            str(parameter.name).upper()
            for parameter in command.params
            if parameter.param_type_name == "argument"
        )
        options = " ".join(
            f"`{parameter.opts[0]}`"
            for parameter in command.params
            if parameter.param_type_name == "option" and parameter.name != "help"
        )
        summary = (command.help or "").splitlines()[0]
        rows.append(f"| `{f'{name} {usage}'.strip()}` {options} | {summary} |")
    return "\n".join(rows)


def _commands(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(f"{path} {name}", command)
        else:
            yield f"{path} {name}", command


def slack_table() -> str:
    """One row per subcommand of the slash command."""
    name = EdgeLimits().command
    rows = ["| command | what it does | for example |", "|---|---|---|"]
    rows += [
        f"| `{name} {row.usage}` | {row.summary} | `{name} {row.example}` |" for row in COMMANDS
    ]
    return "\n".join(rows)


def chart_schema() -> str:
    """The schema of the Helm chart's values, with the names of the settings as they are now."""
    schema = json.loads(CHART_SCHEMA.read_text(encoding="utf-8"))
    names = {name.upper() for name in Settings.model_fields} - CHART_OWNS
    values = schema["properties"]
    values["secrets"]["propertyNames"]["enum"] = sorted(names & SECRET_SETTINGS)
    values["settings"]["propertyNames"]["enum"] = sorted(names - SECRET_SETTINGS)
    return json.dumps(schema, indent=2) + "\n"


PARTS = {
    "configuration.md": {"settings": settings_table, "thresholds": thresholds_table},
    "commands.md": {"commands": commands_table, "slack": slack_table},
}


def main() -> int:
    """Write or compare every generated part; exit code 1 when something was out of date."""
    is_check = "--check" in sys.argv[1:]
    wanted = {
        HERE / "config.schema.json": json.dumps(FileConfig.model_json_schema(), indent=2) + "\n",
        CHART_SCHEMA: chart_schema(),
    }
    for page, parts in PARTS.items():
        text = (HERE / page).read_text(encoding="utf-8")
        for name, render in parts.items():
            pattern = rf"(<!-- {name}: generated -->\n).*?(<!-- end {name} -->)"
            table = render().replace("\\", "\\\\")  # re.sub reads backslashes
            text, count = re.subn(pattern, rf"\g<1>{table}\n\g<2>", text, flags=re.DOTALL)
            if count != 1:
                raise ValueError(f"{page} has {count} places for {name}")
        wanted[HERE / page] = text
    stale = [path for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    for path in stale:
        sys.stdout.write(f"{'out of date' if is_check else 'wrote'}: {path.name}\n")
        if not is_check:
            path.write_text(wanted[path], encoding="utf-8")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
