"""The signing core: everything that is handed to a client.

    Credentials, sign_form, sign_request, presign_query     signatures, V4 and V1
    Profile, GrantRequest, GrantIssuer                      grants
    TicketKeys, SealKeys, Facts                             what a grant proves later

Nothing here opens a socket or a file, asks the clock or knows the web, but `signer.views`, which is not imported here.
"""

from signer.credentials import Credentials
from signer.facts import Facts
from signer.grants import Grant, GrantIssuer, GrantRequest
from signer.post_form import sign_form
from signer.profiles import Profile
from signer.seal import SealKeys
from signer.ticket import TicketKeys
from signer.v4 import presign_query, sign_request

__all__ = [
    "Credentials",
    "Facts",
    "Grant",
    "GrantIssuer",
    "GrantRequest",
    "Profile",
    "SealKeys",
    "TicketKeys",
    "presign_query",
    "sign_form",
    "sign_request",
]
