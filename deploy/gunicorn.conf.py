"""How gunicorn runs ossgate: `gunicorn -c deploy/gunicorn.conf.py "ossgate.app:create_app()"`.

`ossgate serve` uses this file too, and adds bind, workers and threads from ossgate.toml.
"""

import os
import signal
import threading

# Threads: a sync worker takes one callback at a time, and then no two callbacks ever share a commit;
# gevent's slowest answers took ten times as long in measurements.
worker_class = "gthread"
# As many callbacks may wait for one commit as there are threads; 32 or more where the disk is slow.
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
