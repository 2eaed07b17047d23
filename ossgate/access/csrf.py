"""Defence against pages of other sites that ask in a visitor's name, since browsers send cookies along by themselves.

Fetch metadata and the Origin header are set by browsers alone: https://www.w3.org/TR/fetch-metadata/,
https://fetch.spec.whatwg.org/#origin-header.
"""

from __future__ import annotations

from ossgate.access.denied import request_forbidden
from ossgate.access.headers import Environ, is_own_origin

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = ("same-origin", "none")


def require_own_page(
    environ: Environ, *, also_without_browser: bool = False, every_method: bool = False
) -> None:
    """Refuse an unsafe request unless a page of our own origin sent it.

    Args:
        every_method: Whether GET counts as unsafe, too, where it hands out something.
        also_without_browser: Whether a request with neither header passes; no browser of today sends one across sites.

    Raises:
        AccessDenied: 403 ``csrf_refused``.
    """
    if environ.get("REQUEST_METHOD") in SAFE_METHODS and not every_method:
        return
    site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
    if site is not None:
        own = site in OWN_SITES
    elif origin is not None:
        own = is_own_origin(environ, origin)
    else:
        own = also_without_browser
    if not own:
        raise request_forbidden(
            "csrf_refused",
            "a session counts only for requests from a page of this very origin",
            "send it from a page under the same scheme, host and port, or use an API key or a JSON Web Token",
        )
