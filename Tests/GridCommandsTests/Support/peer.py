"""Another node as a test wants it: registered in the embedded store, greeted with proof, and not what it should be.

    peer.py STORE NAME [VERB ANSWER]   registers NAME, prints its port, and serves until it is killed; the request VERB
                                       is answered with ANSWER, others with {}
"""
import json, os, socket, sqlite3, sys, threading
import link


def register(path, name, address):
    """Puts a record in place as the store does; its revision is the incarnation."""
    store = sqlite3.connect(path, timeout=10, isolation_level=None)
    store.execute("BEGIN IMMEDIATE")
    (revision,) = store.execute("SELECT value FROM meta WHERE name = 'revision'").fetchone()
    revision += 1
    key = f"/gridctl/default/nodes/{name}".encode()
    record = json.dumps({"name": name, "address": address, "incarnation": 0, "kinds": [], "version": "0.1.0"}).encode()
    store.execute("INSERT OR REPLACE INTO entries (key, value, created, modified, lease) VALUES (?, ?, ?, ?, 0)",
                  (key, record, revision, revision))
    store.execute("INSERT INTO changes (revision, key, value, created, lease) VALUES (?, ?, ?, ?, 0)",
                  (revision, key, record, revision))
    store.execute("UPDATE meta SET value = ? WHERE name = 'revision'", (revision,))
    store.execute("COMMIT")
    store.close()
    return revision


def serve(sock, name, incarnation, answers):
    connection = link.Connection(sock)
    try:
        connection.accept("default", link.read_secret(), role=link.NODE, name=name, incarnation=incarnation)
        while True:
            kind, found, _ = connection.frame()
            if kind == link.PING:
                sock.sendall(link.frame(link.PONG, link.field(1, found.get(1, 0))))
            if kind == link.REQUEST:
                answer = answers.get(link.text(found, 2), "{}")
                sock.sendall(link.frame(link.REPLY, link.field(1, found[1]) + link.field(2, answer) + link.field(3, 2)))
    except (OSError, link.Failure) as error:
        print(error, file=sys.stderr)


def main(path, name, *answers):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    incarnation = register(path, name, f"127.0.0.1:{port}")
    print(port, flush=True)
    while True:
        sock, _ = listener.accept()
        answered = dict(zip(answers[::2], answers[1::2]))
        threading.Thread(target=serve, args=(sock, name, incarnation, answered), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
