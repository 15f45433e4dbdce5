"""A recorded Kubernetes cluster: the API's paths over HTTP, serving the world of sandbox/README.md.

`kinds` builds API objects, `lines` what containers write; `places` puts the shop's namespaces
together from them and `world` joins the places; `script` says when each of the `moves` happens.
`recorded` holds objects, logs and the clock of this or any other recording, `store` the versions,
`api` answers requests, and `server` runs it all (`run_cluster`).
"""
