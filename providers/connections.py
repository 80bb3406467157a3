"""How many streams the client of a vendor may hold open."""

from __future__ import annotations

import httpx2

CONNECTIONS = httpx2.Limits(max_connections=10_000, max_keepalive_connections=100)
"""Beyond the SDKs' own 1,000 a stream would wait until it is late; None would come to aiohttp's 100."""
