"""Search fees that a seller takes for each request, whatever it searches, and not for each search.

LiteLLM writes Perplexity's fee by the size of the search context among the costs per search. Perplexity charges it once
for each request; only its deep research is charged by the search, at one price for all sizes
(https://docs.perplexity.ai/getting-started/pricing). Other sources give the same fee by the request: two meters
would charge one call twice. A request that names no size has the smallest, so that its fee is the plain one as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pricing.claims import Claim

_SELLERS = frozenset({"perplexity"})
_BY_THE_SEARCH = "deep-research"
_DEFAULT_SIZE = "low"
_SEARCHES, _REQUESTS = "web_searches", "requests"


def charges_by_request(provider: str, model_id: str) -> bool:
    """Whether the search fee of an offering is one for each request."""
    return provider in _SELLERS and _BY_THE_SEARCH not in model_id


def by_request(claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """The same prices, with search fees on the meter of requests."""
    has_fee = any(claim.line.meter == _REQUESTS for claim in claims)
    return tuple(moved for claim in claims for moved in _moved(claim, has_fee=has_fee))


def _moved(claim: Claim, *, has_fee: bool) -> Iterator[Claim]:
    if claim.line.meter != _SEARCHES:
        yield claim
        return
    line = replace(claim.line, meter=_REQUESTS)
    yield replace(claim, line=line)
    if line.variant == _DEFAULT_SIZE and not has_fee:
        yield replace(claim, line=replace(line, variant=""))
