"""What to tell the ops channel: collect, group, rank, compare with last time, compose, publish.

No Slack and no SQL here: the message is rendered and the history is kept by whoever the ports in
`digest.ports` are given.
"""
