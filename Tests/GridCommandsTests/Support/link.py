"""A client of gridctl's link protocol, written from LINK.md alone, with nothing but Python's own library.

    link.py ENDPOINT NAMESPACE ask TARGET BODY      prints the answer
    link.py ENDPOINT NAMESPACE tell TARGET BODY     prints "accepted"
    link.py ENDPOINT NAMESPACE request VERB JSON    prints the answer
    link.py ENDPOINT NAMESPACE channel VERB JSON N  prints N items, or all there are

ENDPOINT is HOST:PORT or unix:PATH; over TCP the environment's SECRET names the file with the namespace's secret. A
failure ends it with 1 and prints CODE: MESSAGE. Tests play other nodes with the parts as well.
"""
import hashlib, hmac, json, os, socket, sys

PREAMBLE = b"GRIDCTL\n"
HELLO, WELCOME, REFUSAL, PING, PONG, GOODBYE, CHALLENGE, PROOF = 1, 2, 3, 4, 5, 6, 7, 8
MESSAGE, ACCEPTED, REPLY, FAILURE, CANCEL, CREDIT = 10, 11, 12, 13, 14, 15
REQUEST, DATA, GRANT, CLOSE = 20, 23, 24, 25
WINDOW = 262144
CLIENT, NODE = 0, 1


class Failure(Exception):
    def __init__(self, fields):
        self.code = text(fields, 2)
        self.message = text(fields, 3)
        super().__init__(f"{self.code}: {self.message}")


# Protobuf, as far as the payloads need it.

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A field; one with its default value is left out."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value if value else b""
    return varint(number << 3) + varint(int(value)) if value else b""


def fields(payload):
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = payload[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(payload):
        tag = number()
        kind = tag & 7
        if kind == 0:
            value = number()
        else:
            length = {1: 8, 5: 4}.get(kind)
            length = number() if length is None else length
            value = payload[at:at + length]
            at += length
        found[tag >> 3] = value
    return found


def text(found, number):
    return found.get(number, b"").decode()


def frame(kind, payload=b""):
    return (len(payload) + 1).to_bytes(4, "big") + bytes([kind]) + payload


class Connection:
    """Frames over a socket, and the greeting of both sides."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.last = 0

    def bytes(self, count):
        while len(self.buffer) < count:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("the connection was closed")
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def frame(self):
        """The next frame: its kind, its fields, and the bytes as they came."""
        head = self.bytes(4)
        rest = self.bytes(int.from_bytes(head, "big"))
        return rest[0], fields(rest[1:]), head + rest

    def expect(self, *kinds):
        while True:
            kind, found, raw = self.frame()
            if kind in (REFUSAL, FAILURE):
                raise Failure(found)
            if kind in kinds:
                return kind, found, raw
            if kind == PING:
                self.sock.sendall(frame(PONG, field(1, found.get(1, 0))))

    def greeting(self, namespace, role=CLIENT, name="python", incarnation=0, nonce=b""):
        return (field(1, 3) + field(3, namespace) + field(4, role) + field(5, name) + field(6, incarnation)
                + field(9, nonce))

    def greet(self, namespace, secret=None, **who):
        """The dialler's side: over TCP with the secret, over a Unix socket without."""
        nonce = os.urandom(32) if secret else b""
        hello = frame(HELLO, self.greeting(namespace, nonce=nonce, **who))
        self.sock.sendall(PREAMBLE + hello)
        if self.bytes(8) != PREAMBLE:
            raise ConnectionError("no gridctl node listens there")
        if not secret:
            return self.expect(WELCOME)[1]
        said = hello + self.expect(CHALLENGE)[2]
        proof = frame(PROOF, field(1, mac(secret, b"gridctl dialler\n", said)))
        self.sock.sendall(proof)
        said += proof
        _, welcome, raw = self.expect(WELCOME)
        said += raw
        if not hmac.compare_digest(self.expect(PROOF)[1].get(1, b""), mac(secret, b"gridctl acceptor\n", said)):
            raise ConnectionError("what listens there does not know the secret")
        return welcome

    def accept(self, namespace, secret, **who):
        """The acceptor's side, over TCP."""
        challenge = frame(CHALLENGE, field(1, os.urandom(32)))
        self.sock.sendall(PREAMBLE + challenge)
        if self.bytes(8) != PREAMBLE:
            raise ConnectionError("this is no greeting")
        _, hello, raw = self.expect(HELLO)
        said = raw + challenge
        _, proof, raw = self.expect(PROOF)
        if not hmac.compare_digest(proof.get(1, b""), mac(secret, b"gridctl dialler\n", said)):
            raise ConnectionError("who has dialled does not know the secret")
        welcome = frame(WELCOME, self.greeting(namespace, **who))
        said += raw + welcome
        self.sock.sendall(welcome + frame(PROOF, field(1, mac(secret, b"gridctl acceptor\n", said))))
        return hello

    # Exchanges

    def exchange(self, kind, payload):
        """Sends with a correlation of its own, and returns the fields of the one frame that ends it."""
        self.last += 1
        self.sock.sendall(frame(kind, field(1, self.last) + payload))
        while True:
            kind, found, _ = self.expect(ACCEPTED, REPLY)
            if found.get(1) == self.last:
                return found

    def message(self, target, body, expectation):
        return self.exchange(MESSAGE, field(2, body) + field(3, 1) + field(8, target) + field(9, "python")
                             + field(10, expectation) + field(12, 5_000_000))

    def ask(self, target, body):
        return self.message(target, body, 2).get(2, b"")

    def tell(self, target, body):
        self.message(target, body, 1)

    def request(self, verb, arguments):
        answer = self.exchange(REQUEST, field(2, verb) + field(3, json.dumps(arguments)) + field(4, 5_000_000))
        return json.loads(answer.get(2, b"null"))

    def channel(self, verb, arguments, window=WINDOW):
        """The items of a channel, as they come; grants what they cost once it is a quarter of the window."""
        self.last += 1
        number, item, owed = self.last, b"", 0
        self.sock.sendall(frame(REQUEST, field(1, number) + field(2, verb) + field(3, json.dumps(arguments))
                                + field(4, 5_000_000) + field(5, window)))
        while True:
            kind, found, _ = self.expect(DATA, CLOSE, REPLY)
            if found.get(1) != number:
                continue
            if kind == CLOSE:
                if found.get(2):
                    raise Failure(found)
                return
            part = found.get(2, b"")
            item += part
            if kind == REPLY or not found.get(3):
                yield json.loads(item)
                item = b""
            if kind == REPLY:
                return
            owed += len(part) + 64
            if owed * 4 >= window:
                self.sock.sendall(frame(GRANT, field(1, number) + field(2, owed)))
                owed = 0


def mac(secret, label, said):
    return hmac.new(secret, label + said, hashlib.sha256).digest()


def read_secret():
    with open(os.environ["SECRET"], "rb") as file:
        return file.read()


def connect(endpoint, namespace, **who):
    if endpoint.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(endpoint[5:])
        secret = None
    else:
        host, _, port = endpoint.rpartition(":")
        sock = socket.create_connection((host.strip("[]"), int(port)))
        secret = read_secret()
    sock.settimeout(10)
    connection = Connection(sock)
    connection.welcome = connection.greet(namespace, secret, **who)
    return connection


def main(endpoint, namespace, what, first, second, count="1"):
    connection = connect(endpoint, namespace)
    if what == "ask":
        print(connection.ask(first, second).decode())
    elif what == "tell":
        connection.tell(first, second)
        print("accepted")
    elif what == "request":
        print(json.dumps(connection.request(first, json.loads(second)), sort_keys=True))
    elif what == "channel":
        for _, item in zip(range(int(count)), connection.channel(first, json.loads(second))):
            print(json.dumps(item, sort_keys=True), flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (Failure, OSError) as error:
        print(error)
        sys.exit(1)
