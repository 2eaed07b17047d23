"""A webhook receiver that keeps what it is told, and answers as a test says."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Hears webhooks on a free port.

    Attributes:
        told: What came, in order: (id, body).
        status, headers, seconds: What is answered, and how long that takes.
    """

    def __init__(self):
        self.told = []
        self.mend()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append((self.headers["webhook-id"], body.decode()))
                status, headers = receiver.status, receiver.headers
                time.sleep(receiver.seconds)
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    # Whoever asked has gone; what it told is kept.
                    self.close_connection = True

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._server.handle_error = lambda request, address: None
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def mend(self):
        self.status, self.headers, self.seconds = 200, {}, 0.0

    def close(self):
        self.mend()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
