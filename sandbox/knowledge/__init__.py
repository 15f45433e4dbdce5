"""What Fenwick Goods has written down: runbooks, incident reports, configuration, graph, logs.

Markdown and the service graph are files beside this module; CSV logs and metrics are generated
relative to a given moment (`sandbox.knowledge.generate`), so that "the last 2 hours" always holds
the story that `sandbox/README.md` tells.
"""
