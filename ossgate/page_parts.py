"""What the human pages need of the signer and the callback, asked for whoever sent the request being answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import signer.views
from callback.deadline import Deadline
from callback.errors import CallbackRefused
from callback.receive import Receiver
from ossgate.access import AccessDenied
from ossgate.access.denied import KeysUnavailable
from ossgate.access.rates import CONFIRM, RateLimited
from ossgate.access.requests import identify_request
from ossgate.bucket import BucketUnavailable
from ossgate.errors import ApiError
from ossgate.ledger import LedgerBusy, LedgerUnavailable, QuotaExceeded, Upload
from ossgate.pages import Pages, ProfileView
from signer.errors import SignerError
from signer.file_names import choose_extension
from signer.grants import GrantRequest
from signer.issue_request import IssueRequest
from signer.services import SignerServices
from signer.upload_ids import is_upload_id


def build_pages(services: SignerServices, receiver: Receiver, bucket_origins: tuple[str, ...]) -> Pages:
    """Return what the human pages need of the signer and the callback."""
    parts = PageParts(services, receiver)
    return Pages(
        bucket_origins=bucket_origins,
        profiles=parts.list_profiles,
        issue_form_grant=parts.issue_form_grant,
        fetch_upload=parts.fetch_upload,
        confirm_upload=parts.confirm_upload,
    )


class PageParts:
    """Speaks to the parts as the pages ask: dictionaries out, `ApiError` when they refuse."""

    def __init__(self, services: SignerServices, receiver: Receiver) -> None:
        self._services = services
        self._receiver = receiver

    def list_profiles(self) -> list[ProfileView]:
        """Return the profiles that the caller may use."""
        with _told_to_people():
            caller = identify_request(self._services.access)
            described = map(signer.views.describe_profile, self._services.list_profiles(caller))
            return [ProfileView(**profile) for profile in described]

    def issue_form_grant(self, profile: str, content_type: str) -> Mapping[str, Any]:
        """Return a grant of a profile, for one file of a content type."""
        # The file is chosen after the grant, so its name is not known and its type is what the person said.
        name = "upload" + choose_extension("", content_type)
        wanted = IssueRequest(profile, "", (GrantRequest(name, content_type=content_type),), is_list=False)
        with _told_to_people():
            caller = identify_request(self._services.access)
            return self._services.issue_grants(wanted, caller)[0].to_json()

    def fetch_upload(self, upload_id: str) -> Mapping[str, Any] | None:
        """Return an upload that the caller may see, or nothing."""
        with _told_to_people():
            upload = self._find(upload_id)
            return None if upload is None else self._services.describe_upload(upload)

    def confirm_upload(self, upload_id: str) -> object:
        """Ask the bucket for an upload of the caller's."""
        with _told_to_people():
            upload = self._find(upload_id)
            if upload is None:
                raise ApiError(404, "upload_unknown", "there is no such upload")
            self._services.limits.hit(CONFIRM, identify_request(self._services.access), upload.subject)
            return self._receiver.confirm(upload, Deadline())

    def _find(self, upload_id: str) -> Upload | None:
        caller = identify_request(self._services.access)
        return self._services.fetch_upload(upload_id, caller) if is_upload_id(upload_id) else None


@contextmanager
def _told_to_people() -> Iterator[None]:
    """Have refusals shown on a page, where a program would be answered JSON."""
    try:
        yield
    except SignerError as error:
        status = next((status for kind, status in signer.views.STATUSES if isinstance(error, kind)), 422)
        raise ApiError(status, error.code, error.message, error.hint) from error
    except AccessDenied as error:
        status = 401 if error.authenticate else 403
        raise ApiError(status, error.code, error.message, error.hint) from error
    except (RateLimited, QuotaExceeded) as error:
        raise ApiError(429, error.code, str(error)) from error
    except CallbackRefused as error:
        raise ApiError(409, error.code, error.message, error.hint) from error
    except (BucketUnavailable, KeysUnavailable) as error:
        raise ApiError(503, error.code, str(error)) from error
    except (LedgerBusy, LedgerUnavailable) as error:
        raise ApiError(503, error.code, "the ledger cannot be asked now") from error
