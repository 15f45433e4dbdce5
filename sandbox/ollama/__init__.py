"""A local stand-in for Ollama: the same HTTP API in front of a script instead of a model."""
