"""Who may ask."""

from ossgate.access.callers import Access, AccessDenied, Caller
from ossgate.access.keys import ApiKey, hash_api_key, new_api_key

__all__ = ["Access", "AccessDenied", "ApiKey", "Caller", "hash_api_key", "new_api_key"]
