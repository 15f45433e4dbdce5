"""What must survive a restart: one SQL schema, SQLite by default, PostgreSQL by URL.

Speaks only in values of `core`; knows nothing of Slack, Kubernetes or knowledge.
"""
