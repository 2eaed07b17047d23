"""Connections to the buckets of the profiles: kept, and opened on first use."""

from __future__ import annotations

from urllib.parse import urlsplit

import urllib3

from ossgate.bucket.heads import HeadConnections

MAX_CONNECTIONS = 32


class Pools:
    """One pool for each bucket URL; a PoolManager would take every URL apart again, for a fifth of the cost of a HEAD."""

    def __init__(self) -> None:
        self._pools: dict[str, tuple[urllib3.HTTPConnectionPool, str]] = {}
        self._heads: dict[str, tuple[HeadConnections, str]] = {}

    def find(self, url: str) -> tuple[urllib3.HTTPConnectionPool, str]:
        """Return the connections to a URL, and the path that the URL ends with."""
        found = self._pools.get(url)
        if found is None:
            pool = urllib3.connection_from_url(url, maxsize=MAX_CONNECTIONS, retries=False)
            # Another thread may have been here at the same time; the first pool stays.
            found = self._pools.setdefault(url, (pool, urlsplit(url).path))
        return found

    def find_heads(self, url: str) -> tuple[HeadConnections, str]:
        """Return the connections for HEAD to a URL, and the path that the URL ends with."""
        found = self._heads.get(url)
        if found is None:
            heads = HeadConnections(url, most=MAX_CONNECTIONS)
            found = self._heads.setdefault(url, (heads, urlsplit(url).path))
        return found

    def close(self) -> None:
        """Close all kept connections."""
        while self._pools:
            pool, _ = self._pools.popitem()[1]
            pool.close()
        while self._heads:
            heads, _ = self._heads.popitem()[1]
            heads.close()
