"""Strangers at a node's port: idle, slow (a byte a second) and garbage connections, a third each.

    strangers.py PORT COUNT SECONDS    prints "ready" once all have been there, and opens again what the node closes,
                                       as often as they would end by themselves: each within five seconds
"""
import os, resource, select, socket, sys, time

GREETING = b"GRIDCTL\n\x00\x00\x00\x14\x01\x08\x02\x1a\x07default\x2a\x06client"


def connect(port):
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex(("127.0.0.1", port))
    return sock


def main(port, count, seconds):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 100)), hard))
    poller, strangers = select.epoll(), {}

    def open_one(kind):
        sock = connect(port)
        strangers[sock.fileno()] = (sock, kind, [0])
        poller.register(sock.fileno(), select.EPOLLIN)
        if kind == 2:
            poller.modify(sock.fileno(), select.EPOLLIN | select.EPOLLOUT)

    end, announced, opened, next_round = time.monotonic() + seconds, False, 0, 0.0
    room, looked = 0.0, time.monotonic()
    while time.monotonic() < end:
        # A hundred at a time, so that the node's backlog has room for others.
        room = 100 if opened < count else min(100, room + (time.monotonic() - looked) * count / 5)
        looked = time.monotonic()
        for _ in range(min(int(room), count - len(strangers))):
            open_one(opened % 3)
            opened += 1
            room -= 1
        if opened >= count and not announced:
            announced = True
            print("ready", flush=True)
        for number, events in poller.poll(0.05):
            sock, kind, _ = strangers[number]
            try:
                if events & select.EPOLLOUT:
                    sock.send(os.urandom(4096))
                    poller.modify(number, select.EPOLLIN)
                if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and not sock.recv(65536):
                    raise ConnectionError
            except BlockingIOError:
                pass
            except OSError:
                poller.unregister(number)
                sock.close()
                del strangers[number]
        if time.monotonic() >= next_round:
            next_round = time.monotonic() + 1
            for sock, kind, sent in strangers.values():
                if kind == 1 and sent[0] < len(GREETING) - 1:
                    try:
                        sent[0] += sock.send(GREETING[sent[0]:sent[0] + 1])
                    except OSError:
                        pass


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
