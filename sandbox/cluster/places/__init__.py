"""The places of the sandbox's world: nodes, and one module a namespace, troubles included."""
