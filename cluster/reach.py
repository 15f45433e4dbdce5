"""What of a cluster the bot may look at, whoever asks. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cluster.kinds import Kind


@dataclass(frozen=True, slots=True)
class Reach:
    """Limits that are applied before anything is read.

    Attributes:
        namespaces: Only these; empty for all.
        denied_namespaces: Never these.
        denied_kinds: Kinds by name, "Ingress", that are never read.
    """

    namespaces: frozenset[str] = frozenset()
    denied_namespaces: frozenset[str] = frozenset()
    denied_kinds: frozenset[str] = frozenset()

    def allows_kind(self, kind: Kind) -> bool:
        """Whether objects of this kind may be read."""
        return kind.name not in self.denied_kinds

    def allows_namespace(self, namespace: str) -> bool:
        """Whether objects in this namespace may be read; cluster-scoped objects have ''."""
        if not namespace:
            return True
        is_named = not self.namespaces or namespace in self.namespaces
        return is_named and namespace not in self.denied_namespaces

    def places(self, kind: Kind, wanted: Collection[str] = ()) -> tuple[str, ...]:
        """The namespaces to list one by one, or ('',) for all at once; maybe none.

        Args:
            kind: What is to be read.
            wanted: Only these namespaces; empty for all.
        """
        if not kind.is_namespaced or not (wanted or self.namespaces):
            return ("",)
        return tuple(sorted(filter(self.allows_namespace, wanted or self.namespaces)))

    def query(self, kind: Kind, namespace: str) -> dict[str, str]:
        """The kind's own selector, and what keeps denied namespaces out of a list of all."""
        terms = [kind.field_selector] if kind.field_selector else []
        if not namespace and kind.is_namespaced:
            terms += [f"metadata.namespace!={denied}" for denied in sorted(self.denied_namespaces)]
        return {"fieldSelector": ",".join(terms)} if terms else {}
