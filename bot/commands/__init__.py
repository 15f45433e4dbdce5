"""What a slash command can do: one module a subcommand, one row each in the table."""
