"""Block Kit, built by pure functions: values in, a Message out. Nothing here talks to Slack."""
