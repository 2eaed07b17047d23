"""The emulator as a running server, for tests and for the command line."""

import errno
import logging
import socket
import threading
from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from cheroot.server import HTTPServer

from ossgate.emulator.admin import PREFIX, Admin
from ossgate.emulator.admin_objects import AdminObjects
from ossgate.emulator.app import App
from ossgate.emulator.authenticator import Authenticator
from ossgate.emulator.buckets import Bucket, BucketRegistry
from ossgate.emulator.callback_delivery import CallbackDelivery
from ossgate.emulator.callback_faults import FaultyCallbackSender
from ossgate.emulator.callback_key import (
    ROTATED_KEY_FILE,
    CallbackKey,
    CallbackKeyRing,
    load_callback_key,
)
from ossgate.emulator.callback_sender import CallbackSender
from ossgate.emulator.clearing import Clearing
from ossgate.emulator.cors import BucketCors, CorsRule
from ossgate.emulator.credentials import Credentials, CredentialSet
from ossgate.emulator.data_lock import DataDirInUse, DataLock
from ossgate.emulator.events import Transcript
from ossgate.emulator.fault_plan import FaultPlan
from ossgate.emulator.fault_player import FaultPlayer
from ossgate.emulator.gateway import EmulatorGateway
from ossgate.emulator.handlers import build_handlers
from ossgate.emulator.multipart_store import MultipartStore
from ossgate.emulator.options import EmulatorOptions
from ossgate.emulator.post_object import PostObject
from ossgate.emulator.public_endpoint import PublicEndpoints
from ossgate.emulator.requests import Addressing
from ossgate.emulator.store import ObjectStore
from ossgate.emulator.sts import Sts, load_seal
from ossgate.emulator.sts.session_tokens import KEY_FILE, TokenSeal
from ossgate.emulator.upload_gate import UploadGate
from ossgate.emulator.worker_pool import WorkerPool

_LOGGER = logging.getLogger("ossgate.emulator")
# Threads beyond those that uploads can hold: they answer HEAD while all uploads wait.
_RESERVED_THREADS = 64
_MAX_HEADER_BYTES = 256 * 1024


class EmulatorStartError(RuntimeError):
    """The emulator cannot start; the text is one sentence with the way out."""


class _Server(HTTPServer):
    """The server library's server, with what `EmulatorGateway` needs."""

    app: App
    addressing: Addressing
    bind_failure: OSError | None = None
    # The library's keeper of idle connections, made when the port is taken.
    _connections: Any
    request_queue_size = 1024
    # The library takes None for no limit, though its annotations do not say so.
    keep_alive_conn_limit = None  # type: ignore[assignment]
    # Also how long a stop waits.
    expiration_interval = 0.05
    max_request_header_size = _MAX_HEADER_BYTES
    shutdown_timeout = 2

    def process_conn(self, conn: Any) -> None:
        """Give a connection a thread once it has something to say.

        The library hands a new connection over at once; browsers open some that they never use.
        """
        if conn.last_used is None:
            self._connections.put(conn)
        else:
            super().process_conn(conn)

    def bind_socket(self, socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:  # type: ignore[override]
        """Bind; keep the reason of a failure and close the socket, which the library forgets."""
        try:
            socket_.bind(bind_addr)
        except OSError as error:
            self.bind_failure = error
            socket_.close()
            raise
        return socket_

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Pass the library's messages on to logging."""
        _LOGGER.log(level, "%s", msg, exc_info=traceback)


class Emulator:
    """A local OSS; use it as a context manager, or call `start` and `stop`.

    Args:
        options: What to serve, where.
    """

    def __init__(self, options: EmulatorOptions) -> None:
        self.options = options
        self._lock = DataLock(options.data_dir)
        self._key: CallbackKey | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the emulator answers, without a slash at the end."""
        if self.options.public_url is not None:
            return self.options.public_url.rstrip("/")
        if self._server is None:
            raise RuntimeError("the emulator has not been started")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.host, self.options.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def port(self) -> int:
        """The port in use."""
        if self._server is None:
            raise RuntimeError("the emulator has not been started")
        return int(self._server.bind_addr[1])

    @property
    def bucket_url(self) -> str:
        """Where forms are posted."""
        return f"{self.url}/{self.options.bucket}"

    @property
    def public_key_url(self) -> str:
        """Where the callback key is found; what `x-oss-pub-key-url` says."""
        return f"{self.url}{PREFIX}callback.pem"

    @property
    def public_key_pem(self) -> str:
        """The callback key itself."""
        if self._key is None:
            raise RuntimeError("the emulator has not been started")
        return self._key.public_pem

    def add_fault(self, fault: dict[str, Any] | str) -> str:
        """Have something go wrong; tell the fault's ID.

        Args:
            fault: As the admin API takes it, or a short form such as `callback.delay=2`.

        Raises:
            FaultRefused: It is no fault that can be played.
        """
        return self._app.faults.plan.add(fault)

    def list_events(self) -> list[dict[str, Any]]:
        """Tell the newest events, oldest first."""
        return self._app.transcript.list_events()

    def clear(self) -> None:
        """Forget objects, uploads, faults and events: bring it back to how it was when it was first started."""
        self._app.admin.clearing.clear_all()

    @property
    def _app(self) -> App:
        if self._server is None:
            raise RuntimeError("the emulator has not been started")
        return self._server.app

    def start(self) -> None:
        """Prepare the folder and the key, take the port, begin to answer.

        Raises:
            EmulatorStartError: Folder, key or port cannot be used.
        """
        uploads, buckets = self._open_folder()
        try:
            self._key = self._load_key()
            seal = self._load_seal()
            self._server = self._listen()
        except EmulatorStartError:
            self._lock.release()
            raise
        self._server.app = self._build_app(buckets, uploads, self._key, seal)
        self._thread = threading.Thread(target=self._server.serve, name="emulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering; running uploads get a moment to end."""
        if self._server is not None and self._thread is not None:
            # Threads that wait must not delay the end.
            self._server.app.close()
            self._server.stop()
            self._thread.join()
            self._server = self._thread = None
            self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _open_folder(self) -> tuple[MultipartStore, BucketRegistry]:
        data_dir = self.options.data_dir
        store = ObjectStore(data_dir)
        buckets = BucketRegistry(store)
        uploads = MultipartStore(store)
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            # In this order: each finishes what the one before it had committed.
            store.open()
            buckets.open(self._list_given_buckets())
            uploads.open()
            store.clear_leftovers()
        except DataDirInUse as error:
            raise EmulatorStartError(
                f"Another emulator uses {data_dir}; stop it or choose another --data-dir."
            ) from error
        except OSError as error:
            self._lock.release()
            raise EmulatorStartError(
                f"Cannot write to {data_dir} ({error.strerror}); choose another --data-dir."
            ) from error
        return uploads, buckets

    def _load_key(self) -> CallbackKey:
        try:
            if self.options.callback_private_key is not None:
                return CallbackKey(self.options.callback_private_key)
            return load_callback_key(self.options.data_dir)
        except (ValueError, OSError) as error:
            raise EmulatorStartError(
                f"The callback key cannot be used ({error}); give an RSA private key as PEM without passphrase."
            ) from error

    def _load_seal(self) -> TokenSeal:
        try:
            return load_seal(self.options.data_dir)
        except (ValueError, OSError) as error:
            path = self.options.data_dir / KEY_FILE
            raise EmulatorStartError(
                f"The STS key {path} cannot be used ({error}); delete the file, and tokens issued so far are void."
            ) from error

    def _listen(self) -> _Server:
        options = self.options
        server = _Server((options.host, options.port), EmulatorGateway)
        server.timeout = options.idle_timeout  # type: ignore[assignment]  # any number of seconds
        server.requests = WorkerPool(server, options.max_uploads + _RESERVED_THREADS)
        region = options.region
        server.addressing = Addressing(
            (f"oss-{region}.aliyuncs.com", f"oss-{region}-internal.aliyuncs.com", *options.host_suffixes),
            options.cname_buckets,
        )
        try:
            server.prepare()
        except OSError as error:
            raise EmulatorStartError(_explain_port(options, server.bind_failure or error)) from error
        return server

    def _build_app(
        self, buckets: BucketRegistry, uploads: MultipartStore, key: CallbackKey, seal: TokenSeal
    ) -> App:
        store = buckets.store
        transcript = Transcript(self.options.on_event)
        plan = FaultPlan()
        plan.add_rules(self.options.faults)
        player = FaultPlayer(plan, transcript, now=self.options.now, headers=self.options.fault_headers)
        # All that asks for the time is told what faults make of it.
        options = replace(self.options, now=player.now)
        sts = Sts(
            options.sts,
            seal,
            options.region,
            {options.access_key_id: options.access_key_secret},
            options.now,
            player.take_sts,
        )
        credentials = CredentialSet(
            [
                Credentials(options.access_key_id, options.access_key_secret),
                *options.temporary_credentials,
            ],
            sts.find_credentials,
        )
        keys = CallbackKeyRing(
            key,
            lambda: load_callback_key(options.data_dir, ROTATED_KEY_FILE),
            f"{self.url}{PREFIX}callback-2.pem",
        )
        sender = CallbackSender(key, self.public_key_url, options.callback_timeout, options.callback_ca_file)
        delivery = CallbackDelivery(store, FaultyCallbackSender(sender, keys, player), transcript)
        post_object = PostObject(
            store=store,
            buckets=buckets,
            credentials=credentials,
            sts=sts,
            region=options.region,
            allow_private_callbacks=options.allow_private_callbacks,
            delivery=delivery,
            now=options.now,
        )
        objects = AdminObjects(store, buckets, self._describe)
        clearing = Clearing(buckets, uploads, plan, transcript, self._list_given_buckets)
        admin = Admin(urlsplit(self.url).hostname or "", keys, player, transcript, objects, clearing)
        cors = BucketCors((CorsRule(options.cors_origins),) if options.cors_origins else ())
        return App(
            store=store,
            buckets=buckets,
            admin=admin,
            authenticator=Authenticator(credentials, options.region, options.now),
            sts=sts,
            post_object=post_object,
            handlers=build_handlers(options, buckets, uploads, delivery, cors, sts),
            cors=cors,
            endpoints=PublicEndpoints(options.region, refused=options.refuse_public_endpoint),
            gate=UploadGate(options.max_uploads),
            transcript=transcript,
            faults=player,
            now=options.now,
            report_failure=_report_failure,
        )

    def _describe(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "bucket": self.options.bucket,
            "bucket_url": self.bucket_url,
            "region": self.options.region,
        }

    def _list_given_buckets(self) -> list[Bucket]:
        options = self.options
        return [
            Bucket(
                name,
                created=options.now().timestamp(),
                acl=options.bucket_acl,
                versioning="Enabled" if options.versioned else "",
            )
            for name in (options.bucket, *options.more_buckets)
        ]


def _explain_port(options: EmulatorOptions, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {options.port} on {options.host} is in use; choose another with --port (0 takes a free one)."
    reason = error.strerror or error
    return f"Cannot listen on {options.host}:{options.port} ({reason}); choose another --host or --port."


def _report_failure(error: BaseException) -> None:
    _LOGGER.error("a request failed inside the emulator", exc_info=error)
