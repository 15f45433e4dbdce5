"""How the bot is watched: what it counts, tells of its health, logs and traces."""
