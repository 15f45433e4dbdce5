"""What Bolt calls. A listener parses, calls one thing and renders; errors reach `failures` alone.

Every subscribed Slack event has a listener: Bolt answers 404 to one without, which Slack counts
as a failed delivery and repeats.
"""
