"""A recorded Kubernetes cluster: the API's paths over HTTP, serving the world of sandbox/README.md.

`kinds` builds API objects of one kind each, `places` puts the shop's namespaces together from them,
`world` joins the places, `script` moves them as time goes by, `store` keeps objects and their
versions, and `server` speaks the API. Any other recorded set of objects and logs is served alike.
"""
