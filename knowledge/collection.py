"""What a collection is called and which fields it is indexed by, in either store."""

from __future__ import annotations

import re

# What filters ask for, besides the time `updated_at`.
PAYLOAD_INDEXES = ("source", "path", "kind", "namespace", "service", "team")


def slug(model: str) -> str:
    """A model's name as a part of a collection's."""
    return re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
