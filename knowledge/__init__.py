"""Retrieval-augmented answers: sources → chunks → Qdrant → passages → a cited answer.

Qdrant's server and embedded engine are each spoken by one module; LangChain by `models` and
`chain`. Nothing here knows Slack, SQL or the Kubernetes client.
"""
