"""`opsbot eval`: measures the bot's parts on what is known, with what the bot itself does."""
