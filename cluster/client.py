"""The Kubernetes API, read-only: the one module that imports the Kubernetes client library.

The library gives authentication, TLS and connections; its typed models do not fit the job (they
refuse incomplete objects and cost many times the raw JSON), so `cluster.decode` decodes bodies.
Only GET is ever sent, but for the question what the account may do, which changes nothing. It is
longer than others, because no other module may know the library.
"""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import aiohttp

from cluster.kinds import Kind
from cluster.listing import Listing, read_list
from cluster.reach import Reach
from cluster.refusals import ExpiredError, explained, not_kubernetes, refused
from core.clock import skew_seconds
from core.errors import ClusterError

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient, Configuration

JSON = "application/json, */*"
LOG_PIECE_BYTES = 256 * 1024
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for the API.

    Attributes:
        watch_seconds: After this a watch is ended by the server and begun again.
        login_seconds: For a login helper of the kubeconfig.
    """

    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    watch_seconds: float = 240.0
    login_seconds: float = 30.0


class ClusterClient:
    """Reads one cluster.

    Args:
        api: The library's client, which `close` closes.
        name: The cluster's configured name; identities of findings are made from it.
        renew: Fetches fresh credentials into `api`; tokens of cloud providers live for minutes.
        reach: What may be read.

    Attributes:
        clock_skew_seconds: By how much the API server's clock was ahead of ours when it last
            answered; about a second of it is the network and the header's precision.
    """

    def __init__(
        self,
        api: ApiClient,
        name: str,
        timeouts: Timeouts = Timeouts(),
        renew: Callable[[], Awaitable[object]] | None = None,
        reach: Reach = Reach(),  # noqa: B008  (frozen)
    ) -> None:
        self._api = api
        self._timeouts = timeouts
        self._renew = renew
        self._renewals = 0
        self._renewing = asyncio.Lock()
        self.name = name
        self.reach = reach
        self.clock_skew_seconds = 0.0

    @classmethod
    async def from_kubeconfig(
        cls,
        path: str | None,
        context: str | None,
        name: str,
        timeouts: Timeouts = Timeouts(),
        reach: Reach = Reach(),  # noqa: B008  (frozen)
    ) -> ClusterClient:
        """A client for a context of a kubeconfig file; None takes the usual file or context.

        Raises:
            ClusterError: The file or the context cannot be used.
        """
        configuration, config = await asyncio.to_thread(_import_library)

        async def load() -> None:
            try:
                async with asyncio.timeout(timeouts.login_seconds):
                    await config.load_kube_config(
                        config_file=path,
                        context=context,
                        client_configuration=configuration,
                        persist_config=False,  # never write to the operator's file
                    )
            except Exception as error:
                # The library asserts and indexes where a file has the wrong shape, and lets
                # through whatever a login helper raises.
                where = f"context {context}" if context else "the current context"
                kind = type(error).__name__
                raise ClusterError(
                    f"read the kubeconfig of cluster {name}",
                    f"{path or 'the default file'} with {where} is unusable ({kind})",
                    "Check that the file exists, is a kubeconfig and holds the context, and that "
                    "its login helper works without a terminal",
                ) from error
            # A token from a file may end with a line break, which no header may hold.
            keys = configuration.api_key
            keys.update({key: value.strip() for key, value in keys.items()})

        await load()
        return cls(await _open(configuration), name, timeouts, load, reach)

    @classmethod
    async def in_cluster(
        cls,
        name: str,
        timeouts: Timeouts = Timeouts(),
        reach: Reach = Reach(),  # noqa: B008  (frozen)
    ) -> ClusterClient:
        """A client for the cluster this process runs in, by its service account.

        Raises:
            ClusterError: The process does not run in a pod with a service account.
        """
        configuration, config = await asyncio.to_thread(_import_library)
        try:
            config.load_incluster_config(client_configuration=configuration)
            return cls(await _open(configuration), name, timeouts, reach=reach)
        except (config.ConfigException, OSError) as error:
            raise ClusterError(
                f"reach cluster {name} from inside",
                f"there is no usable service account ({error})",
                "Give a kubeconfig, or run in a pod with automountServiceAccountToken",
            ) from error

    async def list_all(self, kind: Kind, namespace: str = "") -> Listing:
        """Every object of a kind, page by page; in one namespace or, with '', in all.

        Raises:
            ClusterError: Unreachable, refused, too slow, or not a Kubernetes API.
        """
        asked = f"list {kind.plural} of cluster {self.name}"
        self._check_reach(kind, namespace, asked)
        verb = f"list {kind.plural}" + (f" in namespace {namespace}" if namespace else "")
        accept = METADATA_ONLY if kind.is_metadata_only else JSON

        async def ask(query: dict[str, str], see: Callable[[bytes], None]) -> tuple[int, bytes]:
            async with self._opened(
                kind.path(namespace), query, asked, accept, self._limits
            ) as response:
                pieces = []
                async for piece in response.content.iter_any():
                    see(piece)
                    pieces.append(piece)
                return response.status, b"".join(pieces)

        return await read_list(ask, kind, self.reach.query(kind, namespace), asked, verb)

    @asynccontextmanager
    async def watch(
        self, kind: Kind, namespace: str, version: str
    ) -> AsyncIterator[AsyncIterable[bytes]]:
        """Changes of a kind since a version, a JSON line each, until the server ends the watch.

        A long silence is an error: the connection may be dead.

        Raises:
            ExpiredError: The version is too old; the list has to be read again.
            ClusterError: As for `list_all`.
        """
        asked = f"watch {kind.plural} of cluster {self.name}"
        self._check_reach(kind, namespace, asked)
        seconds = self._timeouts.watch_seconds
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, int(seconds))),
            **self.reach.query(kind, namespace),
        }
        limits = aiohttp.ClientTimeout(
            sock_connect=self._timeouts.connect_seconds,
            sock_read=seconds + self._timeouts.total_seconds,
        )
        async with self._opened(kind.path(namespace), query, asked, limits=limits) as response:
            if response.status == 410:
                raise ExpiredError(asked)
            if response.status != 200:
                verb = f"watch {kind.plural}"
                raise refused(asked, response.status, await response.read(), verb)
            yield response.content

    def _check_reach(self, kind: Kind, namespace: str, asked: str) -> None:
        if not (self.reach.allows_kind(kind) and self.reach.allows_namespace(namespace)):
            raise ClusterError(
                asked,
                "the bot's configuration denies it",
                "See denied_kinds and denied_namespaces in docs/configuration.md",
            )

    async def log_pieces(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        since_seconds: int | None = None,
        tail_lines: int | None = None,
        limit_bytes: int,
        timeout_seconds: float,
    ) -> AsyncGenerator[str, None]:
        """The log of a container as it comes, oldest first; nothing where there is none to read.

        A piece may end anywhere in a line. Close the iterator if you leave it early.

        Raises:
            ClusterError: As for `list_all`; also in the middle.
        """
        asked = f"read the log of {namespace}/{pod} in cluster {self.name}"
        query = {
            "container": container,
            "previous": "true" if previous else "false",
            "limitBytes": str(limit_bytes),
            "timestamps": "true",
        }
        if since_seconds is not None:
            query["sinceSeconds"] = str(since_seconds)
        if tail_lines is not None:
            query["tailLines"] = str(tail_lines)
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        limits = aiohttp.ClientTimeout(
            total=timeout_seconds, sock_connect=self._timeouts.connect_seconds
        )
        async with self._opened(path, query, asked, JSON, limits) as response:
            if response.status in {400, 404}:
                return
            if response.status != 200:
                body = await response.read()
                verb = f"get pods/log in namespace {namespace}"
                raise refused(asked, response.status, body, verb)
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            async for piece in response.content.iter_chunked(LOG_PIECE_BYTES):
                yield decoder.decode(piece)

    async def version(self) -> str:
        """The API server's version, such as "v1.34.1".

        Raises:
            ClusterError: As for `list_all`.
        """
        asked = f"ask cluster {self.name} for its version"
        status, body = await self._get("/version", {}, asked)
        if status != 200:
            raise refused(asked, status, body, "get /version")
        try:
            version = json.loads(body)["gitVersion"]
        except (ValueError, KeyError, TypeError) as error:
            raise not_kubernetes(asked) from error
        return str(version)

    async def may(self, verb: str, group: str, resource: str, namespace: str = "") -> bool:
        """Whether the account may do something, by a SelfSubjectAccessReview, which is not kept.

        Args:
            verb: "list", or "*" for any.
            group: The API group, '' for the core one.
            resource: "pods", or "pods/log".
            namespace: '' for all.

        Raises:
            ClusterError: As for `list_all`.
        """
        asked = f"ask cluster {self.name} whether the bot may {verb} {resource}"
        plural, _, subresource = resource.partition("/")
        attributes = {
            "verb": verb,
            "group": group,
            "resource": plural,
            "subresource": subresource,
            "namespace": namespace,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        async with self._opened(path, {}, asked, limits=self._limits, body=review) as response:
            status, answer = response.status, await response.read()
        if status != 201:
            raise refused(asked, status, answer, "create selfsubjectaccessreviews")
        try:
            return bool(json.loads(answer)["status"]["allowed"])
        except (ValueError, KeyError, TypeError) as error:
            raise not_kubernetes(asked) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def _get(self, path: str, query: dict[str, str], asked: str) -> tuple[int, bytes]:
        async with self._opened(path, query, asked, limits=self._limits) as response:
            return response.status, await response.read()

    @property
    def _limits(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=self._timeouts.total_seconds, sock_connect=self._timeouts.connect_seconds
        )

    @asynccontextmanager
    async def _opened(
        self,
        path: str,
        query: dict[str, str],
        asked: str,
        accept: str = JSON,
        limits: aiohttp.ClientTimeout = aiohttp.ClientTimeout(),  # noqa: B008  (frozen)
        *,
        body: Mapping[str, object] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer; credentials that are no longer accepted are renewed once."""
        with explained(asked, limits):
            renewals = self._renewals
            response = await self._send(path, query, accept, limits, body)
            if response.status == 401 and self._renew is not None:
                response.release()
                async with self._renewing:
                    if self._renewals == renewals:  # nobody else did while we waited
                        await self._renew_credentials(self._renew)
                response = await self._send(path, query, accept, limits, body)
            async with response:
                self._compare_clocks(response.headers.get("Date", ""))
                yield response

    async def _renew_credentials(self, renew: Callable[[], Awaitable[object]]) -> None:
        configuration = self._api.configuration
        before = (configuration.cert_file, configuration.key_file)
        await renew()
        self._renewals += 1
        if (configuration.cert_file, configuration.key_file) != before:
            # Tokens are read for every request, certificates when connections are made.
            old, self._api = self._api, await _open(configuration)
            await old.close()

    async def _send(
        self,
        path: str,
        query: dict[str, str],
        accept: str,
        limits: aiohttp.ClientTimeout,
        body: Mapping[str, object] | None,
    ) -> aiohttp.ClientResponse:
        return cast(
            "aiohttp.ClientResponse",
            await self._api.call_api(
                path,
                "GET" if body is None else "POST",
                query_params=list(query.items()),
                header_params={"Accept": accept, "Content-Type": "application/json"},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _request_timeout=limits,
            ),
        )

    def _compare_clocks(self, date: str) -> None:
        ahead = skew_seconds(date, datetime.now(UTC))
        if ahead is not None:
            self.clock_skew_seconds = ahead


def _import_library() -> tuple[Configuration, Any]:
    """In a thread and only when a client is wanted: importing it takes half a second."""
    from kubernetes_asyncio import client, config  # noqa: PLC0415 (see the docstring)

    return client.Configuration(), config


async def _open(configuration: Configuration) -> ApiClient:
    from kubernetes_asyncio.client import ApiClient  # noqa: PLC0415 (imported by then)

    return ApiClient(configuration)
