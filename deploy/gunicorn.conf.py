"""How gunicorn runs ossgate: `gunicorn -c deploy/gunicorn.conf.py "ossgate.app:create_app()"`.

`ossgate serve` uses this file too, and adds bind, workers and threads from ossgate.toml.
"""

import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

# Threads: a sync worker takes one callback at a time, and then no two callbacks ever share a commit;
# gevent's slowest answers took ten times as long in measurements.
worker_class = "gthread"
# As many callbacks may share one commit as there are threads; 32 where it takes more than a millisecond: docs/deployment.md.
threads = 16
workers = 1
# OSS and browsers keep no connection for long; proxies do, and should close first.
keepalive = 75
# OSS gives up after five seconds and we answer within four; what takes longer hangs.
timeout = 30
# Callbacks that are being answered may finish.
graceful_timeout = 10
# A callback URL's query may be long; what is signed arrives in the request line.
limit_request_line = 8190
# Nobody but the process manager tells this server what to do.
control_socket_disable = True
# Events are logged by the application, one JSON line each.
accesslog = None
loglevel = "warning"


# Where several workers write their numbers, so that any of them can tell the sum at /metrics.
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_own_metrics_folder = None


def on_starting(server):  # noqa: D103 - gunicorn's hook
    global _own_metrics_folder
    folder = os.environ.get(METRICS_VARIABLE)
    if folder:
        # Numbers of an earlier run would be added to this one's.
        for file in Path(folder).glob("*.db"):
            file.unlink(missing_ok=True)
    elif server.cfg.workers > 1:
        _own_metrics_folder = tempfile.mkdtemp(prefix="ossgate-metrics-")
        os.environ[METRICS_VARIABLE] = _own_metrics_folder


def child_exit(server, worker):  # noqa: D103 - gunicorn's hook
    if os.environ.get(METRICS_VARIABLE):
        from prometheus_client.multiprocess import mark_process_dead

        # Its counts stay; what waited in its queue does not.
        mark_process_dead(worker.pid)


def on_exit(server):  # noqa: D103 - gunicorn's hook
    if _own_metrics_folder:
        shutil.rmtree(_own_metrics_folder, ignore_errors=True)


def when_ready(server):  # noqa: D103 - gunicorn's hook
    pipe = os.environ.get("OSSGATE_PARENT_FD")
    if pipe:
        # Whoever started us holds the other end and never writes: the end of file is the end of the parent.
        threading.Thread(target=_stop_at_end_of_file, args=(int(pipe),), daemon=True).start()


def post_worker_init(worker):  # noqa: D103 - gunicorn's hook
    # Whatever waits in the outbox is delivered from now on, not from the first request on.
    deliverer = worker.wsgi.extensions.get("deliverer")
    if deliverer is not None:
        deliverer.ensure_started()


def _stop_at_end_of_file(pipe):
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
