"""Objects and their versions: what the API server keeps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sandbox.cluster import eventview
from sandbox.cluster.resources import EVENTS, NEW_EVENTS, RESOURCES, Obj, Resource, resource_of

FIRST_VERSION = 184_200
KEPT_CHANGES = 5_000

Key = tuple[str, str, str, str]
"""Group, plural, namespace ('' when cluster-scoped), name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write. `before` is None for a new object, `after` for a deleted one."""

    version: int
    resource: Resource
    before: Obj | None
    after: Obj | None


class Store:
    """All objects, each with the version of its last write, and the recent writes for watchers.

    Objects are never changed in place: a writer puts a changed copy, so that a page of a list or a
    watcher can hold on to what it was given.
    """

    def __init__(self, objects: Iterable[Obj] = (), kept_changes: int = KEPT_CHANGES) -> None:
        self._objects: dict[Key, Obj] = {}
        self._resources: dict[tuple[str, str, str], Resource] = {
            (each.group, each.version, each.plural): each for each in RESOURCES
        }
        self._changes: deque[Change] = deque(maxlen=kept_changes)
        self._listeners: set[Callable[[], None]] = set()
        self.version = FIRST_VERSION
        for obj in objects:
            self.put(obj)
        # What was recorded is the beginning: nobody can watch from before it.
        self._changes.clear()
        self.oldest_version = self.version

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource served, those of recorded custom kinds included."""
        return tuple(self._resources.values())

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource under this path, or None."""
        return self._resources.get((group, version, plural))

    def put(self, obj: Obj) -> Obj:
        """Add or replace an object; gives the copy that was stored, with its new version."""
        if obj.get("apiVersion") == NEW_EVENTS.api_version and obj.get("kind") == "Event":
            obj = eventview.to_core(obj)
        resource = resource_of(obj, self.resources)
        self._resources.setdefault((resource.group, resource.version, resource.plural), resource)
        key = self._key(resource, obj)
        before = self._objects.get(key)
        self.version += 1
        after = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        self._objects[key] = after
        self._record(Change(self.version, resource, before, after))
        return after

    def delete(self, resource: Resource, namespace: str, name: str) -> None:
        """Remove an object; one that is not there does not matter."""
        before = self._objects.pop((resource.group, resource.plural, namespace, name), None)
        if before is None:
            return
        self.version += 1
        # A DELETED event carries the object's last state under the version of the deletion.
        gone = {**before, "metadata": {**before["metadata"], "resourceVersion": str(self.version)}}
        self._record(Change(self.version, resource, gone, None))

    def get(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        """The object as this resource shows it, or None."""
        kept = EVENTS if resource == NEW_EVENTS else resource
        found = self._objects.get((kept.group, kept.plural, namespace, name))
        return None if found is None else shown_as(resource, found)

    def listed(self, resource: Resource, namespace: str = "") -> list[Obj]:
        """All objects of a resource, or those of one namespace, ordered as etcd orders keys."""
        kept = EVENTS if resource == NEW_EVENTS else resource
        keys = sorted(
            key
            for key in self._objects
            if key[:2] == (kept.group, kept.plural) and namespace in ("", key[2])
        )
        return [shown_as(resource, self._objects[key]) for key in keys]

    def of_kind(self, kind: str, namespace: str = "") -> list[Obj]:
        """All objects of a kind, for those who build and move the world."""
        return [
            obj
            for key, obj in sorted(self._objects.items())
            if obj["kind"] == kind and namespace in ("", key[2])
        ]

    def in_namespace(self, namespace: str) -> list[Obj]:
        """All objects of one namespace."""
        return [obj for key, obj in sorted(self._objects.items()) if key[2] == namespace]

    def one(self, kind: str, namespace: str, name: str) -> Obj:
        """The one object of this kind and name. Raises KeyError when it is not there."""
        for obj in self.of_kind(kind, namespace):
            if obj["metadata"]["name"] == name:
                return obj
        raise KeyError(f"{kind} {namespace}/{name}")

    def changes_since(self, version: int, resource: Resource) -> Iterator[Change]:
        """Writes to one resource after a version, as that resource shows them.

        Raises:
            LookupError: Some of them are no longer kept.
        """
        if version < self.oldest_version:
            raise LookupError(f"too old resource version: {version} ({self.oldest_version})")
        kept = EVENTS if resource == NEW_EVENTS else resource
        for change in tuple(self._changes):
            if change.version > version and change.resource == kept:
                yield Change(
                    change.version,
                    resource,
                    None if change.before is None else shown_as(resource, change.before),
                    None if change.after is None else shown_as(resource, change.after),
                )

    def forget_changes(self) -> None:
        """Drop the recent writes, as etcd's compaction does: older versions are gone (410)."""
        self._changes.clear()
        self.oldest_version = self.version

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every write, until the function given back is called."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _record(self, change: Change) -> None:
        if len(self._changes) == self._changes.maxlen:
            self.oldest_version = self._changes[0].version
        self._changes.append(change)
        for listener in tuple(self._listeners):
            listener()

    @staticmethod
    def _key(resource: Resource, obj: Obj) -> Key:
        metadata = obj["metadata"]
        namespace = metadata.get("namespace", "") if resource.namespaced else ""
        return (resource.group, resource.plural, namespace, metadata["name"])


def shown_as(resource: Resource, obj: Obj) -> Obj:
    """An object as seen through a resource; only Events have two views."""
    return eventview.to_new(obj) if resource == NEW_EVENTS else obj
