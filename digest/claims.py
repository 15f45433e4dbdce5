"""A claim on a slot is kept while its digest is made, and given back when that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.digests import SlotClaim
from core.errors import StateError
from digest.ports import DigestStore

log = logging.getLogger(__name__)

# Several within the two minutes after which a claim may be taken over.
RENEW_SECONDS = 20.0


@asynccontextmanager
async def kept(store: DigestStore, claim: SlotClaim) -> AsyncIterator[None]:
    """Keep a claim from running out while the block runs."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await store.renew(claim)
            except StateError as error:
                log.warning("The claim on %s was not renewed: %s", claim.slot, error)

    keeper = asyncio.create_task(keep(), name=f"claim on {claim.slot}")
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def give_back(store: DigestStore, claim: SlotClaim | None) -> None:
    """Let others take the slot at once. Where that fails, the claim runs out by itself."""
    if claim is None:
        return
    try:
        await store.release(claim)
    except StateError as error:
        log.warning("The claim on %s was not given back: %s", claim.slot, error)
