"""Changes of the shop's world as time goes by; `script` says when each happens."""
