internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct InspectPageTests {
  private static let actor: JSONValue = [
    "name": "importer", "kind": "exec", "node": "n2", "status": "running", "mailbox": 3, "processed": 1234,
    "failures": 1,
    "restarts": 2, "uptimeSeconds": 192.0, "epoch": 14, "inHand": 1, "inHandSeconds": 178.0, "oldestSeconds": 170.0,
    "handlerP50Seconds": 0.0005, "handlerP99Seconds": 0.012, "mailboxCapacity": 10_000, "overflow": "reject",
    "pid": 4711,
    "lastFailure":
      "handler-failed: the program exited with code 1\nTraceback (most recent call last):\n\u{1B}[31mKeyError",
    "exec": [
      "command": ["sh", "-c", "while read -r x; do echo \"it's $x\"; done"], "framing": "lines", "oneWay": false,
      "handlerTimeoutSeconds": 60.0, "maximumRestarts": 5, "restartWindowSeconds": 60.0,
    ],
  ]

  @Test func `how it is comes first, and what it runs could be typed`() {
    let events: [JSONValue] = [
      ["kind": "actor", "detail": "spawned", "atMilliseconds": 0],
      ["kind": "actor", "detail": "restarted", "atMilliseconds": 60_000],
    ]
    let page = InspectPage(actor: Self.actor, events: events, now: CalendarTime(millisecondsSince1970: 65_000))
    #expect(
      page.text(width: nil, usesColor: false) == #"""
        name:           importer
        state:          running on n2, for 3m12s
        in hand:        a message, for 2m58s
        waiting:        2 messages, the oldest for 2m50s; of 10,000, then reject
        handled:        1,234 messages, 1 failure, 2 restarts
        handling:       p50 0.5ms, p99 12ms, of the latest
        kind:           exec
        command:        sh -c 'while read -r x; do echo "it'\''s $x"; done'
        program:        pid 4711, framing lines, at most 1m a message, 5 restarts within 1m
        last failure:   handler-failed: the program exited with code 1
                        Traceback (most recent call last):
                        \u{1B}[31mKeyError
        events:         1m5s ago: spawned
                        5s ago: restarted
        epoch:          14

        """#)
  }

  @Test func `an idle actor has little to tell, and a hostile answer no more`() {
    let idle = InspectPage(actor: ["name": "a", "kind": "echo", "status": "running", "node": "n1", "mailbox": 0])
    let text = idle.text(width: 80, usesColor: false)
    #expect(text.contains("in hand:   nothing\nwaiting:   nothing\n") && !text.contains("failure:"))
    for value in [
      JSONValue.null, 1, ["exec": 1, "lastFailure": ["x"], "mailbox": -5, "inHand": "no"], ["exec": ["command": [1]]],
    ] {
      #expect(!InspectPage(actor: value).text(width: 40, usesColor: false).isEmpty)
    }
  }

  @Test(arguments: [
    (["bc", "-l"], "bc -l"), (["echo", ""], "echo ''"), (["a b", "c'd"], #"'a b' 'c'\''d'"#), (["$HOME"], "'$HOME'"),
    (["~/x"], "'~/x'"), (["é"], "'é'"), (["a\nb"], "'a\nb'"),
  ])
  func `words are quoted where a shell would read them otherwise`(_ words: [String], _ expected: String) {
    #expect(ShellQuoting.line(words) == expected)
  }
}
