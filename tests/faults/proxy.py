"""A TCP proxy on loopback that goes wrong when it is told to: slow, down, cut, frozen, in slices, or held at one message."""

import contextlib
import random
import select
import socket
import struct
import threading
import time

UP, DOWN = "up", "down"
_CHUNK = 65536
_LOOK = 1.0
_LONGEST_HOLD = 60.0
_LONGEST_PATTERN = 64


def find_port():
    """Find a free port below those that the system gives to outgoing connections, so that it can be left and taken again."""
    while True:
        port = random.randrange(15000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Hold:
    """Stops one connection at the first message that holds some bytes, until it is released."""

    def __init__(self, pattern, *, answer):
        self.pattern, self.answer = pattern, answer
        self.held, self.go_on = threading.Event(), threading.Event()
        self.link = None

    def wait(self, seconds=20):
        assert self.held.wait(seconds), f"{self.pattern!r} has not come"

    def release(self):
        self.go_on.set()

    def cut(self):
        """End the connection that is held, without passing on what it was stopped at."""
        self.link.end()
        self.go_on.set()


class Proxy:
    """Passes connections on to a port of this machine. All that is set may be set while connections are open.

    Attributes:
        latency: Seconds that each chunk takes, in either direction.
        answer_latency: Seconds from a request to the first byte of its answer, however fast that was made.
        slice_bytes: How many bytes are passed on at a time; all at once where nothing is said.
        slice_pause: Seconds between slices.
    """

    def __init__(self, port, host="127.0.0.1"):
        self.target = (host, port)
        self._lock = threading.Lock()
        self._links = set()
        self._threads = []
        self._holds = []
        self._listener = None
        self._moves = threading.Event()
        self._moves.set()
        self.closed = False
        self.mend()
        self.port = find_port()
        self.open()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def links(self):
        return len(self._links)

    def open(self):
        """Listen, on the same port as before."""
        if self._listener is None:
            listener = self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def mend(self):
        """Pass everything on again, as if nothing had been said."""
        self.latency = self.answer_latency = self.slice_pause = 0.0
        self.slice_bytes = None
        for hold in self._holds:
            hold.release()
        self._holds = []
        self._moves.set()

    def shut(self):
        """Refuse connections, and cut those that there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # Wakes whoever waits for a connection.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.reset()

    def reset(self):
        """Cut all connections (RST) and take new ones."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.end()
        self._wait_for_end(links)

    def stall(self):
        """Pass nothing on, of old connections nor of new ones, and let them believe that all is well."""
        self._moves.clear()

    def resume(self):
        self._moves.set()

    def strand(self):
        """Pass nothing on of the connections that there are, ever again; new ones are served."""
        with self._lock:
            for link in self._links:
                link.is_stranded = True

    def hold(self, pattern):
        """Stop at the next message towards the target that holds these bytes."""
        return self._add(Hold(pattern, answer=False))

    def hold_answer(self, pattern):
        """Pass on the next message that holds these bytes, and stop its answer."""
        return self._add(Hold(pattern, answer=True))

    def close(self):
        self.closed = True
        self.mend()
        self.shut()
        for thread in self._threads:
            thread.join(5)

    def _add(self, hold):
        with self._lock:
            self._holds.append(hold)
        return hold

    def _accept(self, listener):
        while True:
            try:
                ready, _, _ = select.select([listener], [], [], _LOOK)
                if not ready:
                    if listener.fileno() < 0:
                        return
                    continue
                client, _ = listener.accept()
            except (OSError, ValueError):
                return
            try:
                server = socket.create_connection(self.target, timeout=5)
            except OSError:
                _reset(client)
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link(client, server)
            with self._lock:
                self._links.add(link)
            for direction in (UP, DOWN):
                thread = threading.Thread(target=self._pump, args=(link, direction), daemon=True)
                self._threads.append(thread)
                thread.start()
            self._threads = [thread for thread in self._threads if thread.is_alive()]

    def _pump(self, link, direction):
        source, sink = (link.client, link.server) if direction == UP else (link.server, link.client)
        tail = b""
        try:
            while not link.cut:
                if not select.select([source], [], [], _LOOK)[0]:
                    continue
                data = source.recv(_CHUNK)
                self._wait(link, direction, data, tail)
                if not data or link.cut:
                    break
                self._send(link, sink, data)
                tail = (tail + data)[-_LONGEST_PATTERN:]
            if not link.cut:
                with contextlib.suppress(OSError):
                    sink.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            link.end()
        finally:
            self._leave(link)

    def _wait(self, link, direction, data, tail):
        """Let time pass before a chunk goes on, as much as was asked for."""
        while (link.is_stranded or not self._moves.is_set()) and not link.cut and not self.closed:
            time.sleep(0.01)
        time.sleep(self.latency)
        if direction == UP:
            if link.answered:
                link.answered, link.asked_at = False, time.monotonic()
            hold = self._find(data, tail)
            if hold is not None and hold.answer:
                link.hold = hold
            elif hold is not None:
                hold.link = link
                hold.held.set()
                hold.go_on.wait(_LONGEST_HOLD)
            return
        if not link.answered:
            link.answered = True
            time.sleep(max(0.0, self.answer_latency - (time.monotonic() - link.asked_at)))
        hold, link.hold = link.hold, None
        if hold is not None:
            hold.link = link
            hold.held.set()
            hold.go_on.wait(_LONGEST_HOLD)

    def _find(self, data, tail):
        with self._lock:
            for hold in self._holds:
                # What has gone on before may begin it, and is not it.
                if hold.pattern in tail[max(0, len(tail) + 1 - len(hold.pattern)) :] + data:
                    self._holds.remove(hold)
                    return hold
        return None

    def _send(self, link, sink, data):
        size = self.slice_bytes or len(data)
        for start in range(0, len(data), size):
            if link.cut:
                return
            sink.sendall(data[start : start + size])
            if start + size < len(data):
                time.sleep(self.slice_pause)

    def _leave(self, link):
        with self._lock:
            link.left += 1
            if link.left < 2:
                return
            self._links.discard(link)
        for each in (link.client, link.server):
            _reset(each) if link.cut else each.close()

    def _wait_for_end(self, links):
        end = time.monotonic() + 5
        while any(link.left < 2 for link in links) and time.monotonic() < end:
            time.sleep(0.01)


class _Link:
    """Two sockets, and what befalls them."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.cut = self.is_stranded = False
        self.answered, self.asked_at = True, time.monotonic()
        self.hold = None
        self.left = 0

    def end(self):
        """Have both directions stop, and wake those who wait for something to come."""
        self.cut = True
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RD)


def _reset(connection):
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
