"""What containers write: formats of log lines, each application's words, and telling excerpts."""
