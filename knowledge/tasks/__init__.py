"""Tasks: questions of one form, each with its own command; one module a task."""
