"""Alerts as Alertmanager, Grafana and PagerDuty post them, by their default templates."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def alertmanager(
    name: str = "KubePodCrashLooping shop payments",
    status: str = "FIRING:1",
    shared: str = "(critical prometheus)",
) -> Json:
    """One attachment with a status in its title; its text is the annotations."""
    title = f"[{status}] {name} {shared}".strip()
    is_over = status.startswith("RESOLVED")
    link = "http://alertmanager.example/#/alerts?receiver=slack"
    return {
        "attachments": [
            {
                "id": 1,
                "color": "2eb886" if is_over else "a30200",
                "fallback": f"{title} | {link}",
                "title": title,
                "title_link": link,
                "text": "Pod shop/payments-6c9d8b7f5b-x2k4q is waiting (CrashLoopBackOff).",
                "mrkdwn_in": ["fallback", "pretext", "text"],
            }
        ]
    }


def grafana(name: str = "HighErrorRate checkout", status: str = "FIRING:1") -> Json:
    """One attachment with the labels in its text and the program in its footer."""
    return {
        "attachments": [
            {
                "color": "36a64f" if status == "RESOLVED" else "d63232",
                "fallback": f"[{status}] {name} (shop)",
                "title": f"[{status}] {name} (shop)",
                "title_link": "https://grafana.example/alerting/list",
                "text": "**Firing**\n\nValue: A=12\nLabels:\n - alertname = HighErrorRate\n"
                " - service = checkout\nAnnotations:\n - summary = 12 % of requests fail",
                "footer": "Grafana v11.4.0",
                "ts": 1793620800,
            }
        ]
    }


def pagerduty(state: str = "Triggered", incident: str = "Q2ABCDEF") -> Json:
    """An attachment made of blocks, with a link to the incident and buttons."""
    link = f"https://fenwick.pagerduty.com/incidents/{incident}"
    return {
        "attachments": [
            {
                "color": "ec2c2c",
                "fallback": f"{state} #4711",
                "blocks": [
                    {
                        "type": "section",
                        "text": {
                            "type": "mrkdwn",
                            "text": f"*{state}* <{link}|#4711 ledger volume is full>",
                        },
                    },
                    {
                        "type": "section",
                        "fields": [
                            {"type": "mrkdwn", "text": "*Service*\nledger"},
                            {"type": "mrkdwn", "text": "*Urgency*\nHigh"},
                        ],
                    },
                    {
                        "type": "actions",
                        "elements": [
                            {
                                "type": "button",
                                "action_id": "ack",
                                "text": {"type": "plain_text", "text": "Acknowledge"},
                            }
                        ],
                    },
                ],
            }
        ]
    }
