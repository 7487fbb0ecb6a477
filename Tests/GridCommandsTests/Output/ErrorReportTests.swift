internal import GridCore
internal import Synchronization
internal import Testing

@testable internal import GridCommands

@Suite struct ErrorReportTests {
  private static func report(_ error: GridError, _ format: OutputFormat = .table, color: ColorMode = .auto) -> String {
    let capture = Capture()
    ErrorReport(error: error, target: "calc", node: "n2").write(format: format, color: color, to: capture.writer)
    #expect(capture.output.text == "")
    return capture.error.text
  }

  @Test func `people read what why and what next`() {
    let error = GridError(
      .noSuchActor, "no actor calc", hint: "similar: call", cause: "looked on 3 nodes\nand found none")
    #expect(
      Self.report(error) == """
        error: no actor calc
          cause: looked on 3 nodes
          and found none
          similar: call

        """)
    #expect(Self.report(error, color: .always).hasPrefix("\u{1B}[31merror:\u{1B}[0m no actor calc\n"))
    #expect(Self.report(GridError(.failed, "a (b)", cause: "b")) == "error: a (b)\n")
  }

  @Test func `programs read one line with every name`() throws {
    for format in [OutputFormat.json, .jsonl] {
      let line = Self.report(GridError(.noSuchActor, "no actor calc", hint: "spawn it"), format)
      #expect(
        line == #"{"error":{"cause":null,"code":67,"hint":"spawn it","message":"no actor calc","name":"no-such-actor","#
          + #""node":"n2","target":"calc"}}"# + "\n")
    }
  }

  @Test func `errors of others neither drive nor flood the terminal`() {
    let text = Self.report(GridError(.handlerFailed, "\u{1B}[2J" + String(repeating: "x", count: 1 << 20)))
    #expect(text.hasPrefix(#"error: \u{1B}[2Jxxx"#) && text.utf8.count < 3000)
    #expect(Self.report(GridError(.failed, "")) == "error: \n")
  }

  @Test func `a reader that went away is told nothing`() {
    for format in OutputFormat.named.map(\.format) {
      #expect(Self.report(GridError(.brokenPipe, "gone"), format) == "")
    }
  }

  @Test func `every error code has an exit code`() {
    #expect(Set(ExitStatus.statuses.keys) == Set(GridError.Code.all))
    #expect(ExitStatus(.named("of-a-newer-node")) == .failed)
    let codes: [(GridError.Code, Int32)] = [
      (.handlerFailed, 1), (.partial, 3), (.usage, 64), (.undecodable, 65), (.noInput, 66), (.noSuchActor, 67),
      (.noSuchKind, 67), (.stopped, 67), (.noSuchNode, 68), (.nodeLost, 69), (.leaseLost, 69), (.software, 70),
      (.nameTaken, 73), (.inputOutput, 74), (.mailboxFull, 75), (.retryLater, 75), (.protocolMismatch, 76),
      (.refused, 77),
      (.configuration, 78), (.deadline, 124), (.cancelled, 130), (.brokenPipe, 141),
    ]
    for (code, status) in codes { #expect(ExitStatus(code).rawValue == status, "\(code)") }
    #expect(Set(ExitStatus.allCases.map(\.label)).count == ExitStatus.allCases.count)
  }
}

@Suite struct ProgressTests {
  private final class Hand: Sendable {
    let nanoseconds = Atomic<Int64>(5_000_000_000)
    var clock: StoppedClock {
      StoppedClock { MonotonicTime(nanoseconds: self.nanoseconds.load(ordering: .relaxed)) }
    }
    func move(_ milliseconds: Int64) { nanoseconds.add(milliseconds * 1_000_000, ordering: .relaxed) }
  }

  @Test func `the line comes after a second and ten times a second at most`() {
    let hand = Hand()
    let capture = Capture(["GRIDCTL_FORCE_TTY": "1", "COLUMNS": "80"])
    let progress = Progress("lines", clock: hand.clock, writer: capture.writer, isSilent: false)
    progress.advance(by: 1999)
    hand.move(999)
    progress.advance()
    #expect(capture.error.text == "")
    hand.move(1)
    progress.advance(by: 1000)
    #expect(capture.error.text == "\r\u{1B}[K3,000 lines   3000/s   1s")
    hand.move(99)
    progress.advance()
    #expect(capture.error.text.utf8.count(where: { $0 == 0x0D }) == 1)
    hand.move(901)
    progress.advance(by: 37_000)
    #expect(capture.error.text.hasSuffix("\r\u{1B}[K40,001 lines   20k/s   2s"))
    progress.finish()
    hand.move(1000)
    progress.advance()
    #expect(capture.error.text.hasSuffix("2s\r\u{1B}[K"))
    #expect(progress.count == 40_002)
  }

  @Test func `it is silent when asked to be and without a terminal`() {
    for (environment, isSilent) in [(["GRIDCTL_FORCE_TTY": "1"], true), ([:], false)] {
      let hand = Hand()
      let capture = Capture(environment)
      let progress = Progress("lines", clock: hand.clock, writer: capture.writer, isSilent: isSilent)
      hand.move(5000)
      progress.advance()
      progress.finish()
      #expect(capture.error.text == "" && progress.count == 1)
    }
  }
}
