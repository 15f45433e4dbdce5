"""A read-only view of Kubernetes: snapshot, Events, logs, and detectors that turn them to findings.

Verbs used are get, list and watch, plus pods/log. Secrets are never read. Only `cluster.client`
imports the Kubernetes client library.
"""
