"""Who may ask."""

from ossgate.access.callers import Caller
from ossgate.access.denied import AccessDenied, KeysUnavailable
from ossgate.access.gate import Access
from ossgate.access.keys import ApiKey, hash_api_key, new_api_key

__all__ = ["Access", "AccessDenied", "ApiKey", "Caller", "KeysUnavailable", "hash_api_key", "new_api_key"]
