"""What an emulator is started with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ossgate.emulator.credentials import Credentials
from ossgate.emulator.fault_rules import FaultRule
from ossgate.emulator.sts.options import StsOptions

BucketAcl = Literal["private", "public-read", "public-read-write"]
FaultHeaders = Literal["loopback", "always", "never"]


def read_clock() -> datetime:
    """Tell the time, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions:
    """Settings of one emulator.

    Args:
        data_dir: Where objects and the callback key are kept; made when absent.
        port: 0 takes a free port; `Emulator.url` tells which.
        bucket: The first bucket; it need not be created.
        more_buckets: Further ones.
        versioned: Whether the buckets given here keep versions; only what that changes in answers is played.
        temporary_credentials: STS credentials that are accepted beside the AccessKey, and may do everything.
        sts: What its own STS is started with.
        cors_origins: Origins that the bucket's CORS rule allows; empty switches CORS off.
        host_suffixes: Endpoints under which `<bucket>.<suffix>` names a bucket; the region's own come first.
        cname_buckets: Own domains, each with its bucket.
        refuse_public_endpoint: Whether data requests by the region's public endpoint are refused, as mainland
            regions refuse them to new accounts.
        public_url: How others reach the emulator, when it is not the address it listens on.
        allow_private_callbacks: Whether callbacks to loopback and private addresses go out; OSS refuses them.
        callback_private_key: PEM of the key that signs callbacks, for instance a 512-bit look-alike.
            Without it a 2048-bit key is made once and kept in `data_dir`.
        callback_ca_file: Certificates that https callback receivers are checked against.
        callback_timeout: Seconds for one callback URL from the first packet to the last; OSS waits five.
        max_uploads: Uploads in progress at once, waiting for their callback included.
        idle_timeout: Seconds that a silent connection is kept.
        faults: Faults that are played from the start.
        fault_headers: Whose requests may bring faults along in `x-ossgate-fault`.
        on_event: Told every request, refusal and callback; called from several threads.
        now: The clock.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    bucket: str = "demo-bucket"
    more_buckets: tuple[str, ...] = ()
    bucket_acl: BucketAcl = "private"
    versioned: bool = False
    region: str = "cn-hangzhou"
    access_key_id: str
    access_key_secret: str = field(repr=False)
    temporary_credentials: tuple[Credentials, ...] = ()
    sts: StsOptions = field(default_factory=StsOptions)
    cors_origins: tuple[str, ...] = ("*",)
    host_suffixes: tuple[str, ...] = ("localhost",)
    cname_buckets: Mapping[str, str] = field(default_factory=dict)
    refuse_public_endpoint: bool = False
    public_url: str | None = None
    allow_private_callbacks: bool = True
    callback_private_key: str | None = field(default=None, repr=False)
    callback_ca_file: Path | None = None
    callback_timeout: float = 5.0
    max_uploads: int = 512
    idle_timeout: float = 60.0
    faults: tuple[FaultRule, ...] = ()
    fault_headers: FaultHeaders = "loopback"
    on_event: Callable[[dict[str, Any]], None] | None = None
    now: Callable[[], datetime] = read_clock
