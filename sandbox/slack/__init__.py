"""A local Slack workspace: the same wire shapes, limits, errors and retries, on one local port.

A real Bolt app talks to it over Socket Mode or signed HTTP, and a person uses it in the browser.
It knows nothing of the bot: it is checked against `slack_sdk` alone. No Slack library is used here.

Start with `server.run_workspace`, or on the command line with `python -m sandbox.slack`.
"""
