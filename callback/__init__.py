"""Everything that OSS sends back: a callback is believed for three reasons, or refused.

    verify_signature    1  OSS signed it            callback.signature
    verify_ticket       2  it carries our ticket    callback.claims
    check_object        3  the bucket agrees        callback.confirmation

Then the "arrived" step records it (`callback.arrived`) and the profile's reply is answered (`callback.reply`).
"""

from callback.claims import verify_ticket
from callback.confirmation import check_object
from callback.signature import verify_signature

__all__ = ["check_object", "verify_signature", "verify_ticket"]
