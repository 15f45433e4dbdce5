"""Setting the bot up, and trying every part of it: `opsbot setup` and `opsbot doctor`."""
