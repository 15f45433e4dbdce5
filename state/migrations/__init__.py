"""How the schema came to be, one module a step; run by `state.database` under a lock."""
