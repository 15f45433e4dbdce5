"""Stand-ins for the outside world: a local Slack workspace, a recorded cluster, sample knowledge.

The demo runs on it and the tests use it. No product package imports it, and it imports none.
"""
