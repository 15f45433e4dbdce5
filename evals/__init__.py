"""Numbers on quality and speed: question cases, scorers and benchmarks. Nothing passes or fails."""
