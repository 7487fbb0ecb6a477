internal import GridCore
internal import Testing

@testable internal import GridLink

@Suite struct FrameTests {
  @Test func `every kind of frame comes back as it was`() throws {
    for frame in FrameExamples.all {
      let bytes = frame.bytes
      let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      #expect(length == bytes.count - 4)
      let again = try LinkFrame(payload: Array(bytes.dropFirst(4)))
      #expect(again == frame)
      #expect(again.inFull == frame.inFull)
    }
    let kinds = Set(FrameExamples.all.map { $0.bytes[4] })
    #expect(kinds == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 23, 24, 25, 26, 255])
  }

  @Test func `frames that follow each other in a buffer do not touch`() throws {
    var stream = FrameExamples.all.flatMap(\.bytes)[...]
    for frame in FrameExamples.all {
      let length = stream.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      #expect(try LinkFrame(payload: Array(stream.dropFirst(4).prefix(length))) == frame)
      stream = stream.dropFirst(4 + length)
    }
    #expect(stream.isEmpty)
  }

  // MARK: Newer peers

  /// One field of each wire type under a number that nobody uses.
  private static let strange: [[UInt8]] = [
    [0xF8, 0x07, 0x96, 0x01], [0xF9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8], [0xFA, 0x07, 0x02, 0xFF, 0xFE], [0xFA, 0x07, 0x00],
    [0xFD, 0x07, 1, 2, 3, 4], [0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0x01],
  ]

  @Test func `unknown fields are skipped before and behind the known ones`() throws {
    for frame in FrameExamples.all {
      let bytes = frame.bytes.dropFirst(4)
      for field in Self.strange {
        let before = try LinkFrame(payload: Array(bytes.prefix(1)) + field + Array(bytes.dropFirst()))
        let behind = try LinkFrame(payload: Array(bytes) + field)
        #expect(before.inFull == frame.inFull && behind.inFull == frame.inFull)
      }
    }
  }

  @Test func `an unknown kind is skipped whatever it holds`() throws {
    #expect(try LinkFrame(payload: [99, 0xFF, 0xFF]) == .unknown(99))
  }

  @Test(
    arguments: [
      ([13, 0x12, 0x05] + Array("newer".utf8), LinkFrame.failure(0, GridError(.failed, ""))),
      ([12, 0x18, 0x07], .reply(0, Message())),
      ([12, 0x18, 0x03], .reply(0, Message())),
      ([12, 0x08, 0x01, 0x08, 0x02], .reply(2, Message())),
      ([4, 0x0A, 0x01, 0x61], .ping(0)),
      ([15, 0x08, 0x05, 0x10, 0x07], .credit(target: "", bytes: 7)),
      ([26, 0x08, 0x02, 0x12, 0x01, 0x61], .signal(.unknown)),
      ([26, 0x08, 0x01, 0x12, 0x01, 0x61, 0x28, 0x07], .signal(.moved(address: "a", to: nil))),
    ] as [([UInt8], LinkFrame)])
  func `values of newer peers and wrong types are read as documented`(_ payload: [UInt8], _ frame: LinkFrame) throws {
    #expect(try LinkFrame(payload: payload) == frame)
  }

  @Test func `an unknown expectation and role fall back`() throws {
    guard case .message(let message) = try LinkFrame(payload: [10, 0x50, 0x82, 0x02]) else {
      Issue.record("no message")
      return
    }
    #expect(message.expectation == .nothing)
    guard case .hello(let greeting) = try LinkFrame(payload: [1, 0x20, 0x09]) else {
      Issue.record("no hello")
      return
    }
    #expect(greeting.role == .client)
    #expect(greeting.major == 0, "who says no version has none")
  }

  // MARK: Malformed frames

  @Test(
    arguments: [
      ("empty", []),
      ("field number 0", [4, 0x00, 0x01]),
      ("field number too large", [4, 0x80, 0x80, 0x80, 0x80, 0x10, 0x01]),
      ("start of a group", [4, 0x0B]),
      ("end of a group", [4, 0x0C]),
      ("wire type 6", [4, 0x0E]),
      ("wire type 7", [4, 0x0F]),
      ("no value", [4, 0x08]),
      ("number without an end", [4, 0x08, 0x80]),
      ("number of 11 bytes", [4, 0x08] + [UInt8](repeating: 0x80, count: 10) + [0x00]),
      ("length beyond the end", [6, 0x0A, 0x05, 0x61]),
      ("length of 2⁶⁴ − 1", [6, 0x0A] + [UInt8](repeating: 0xFF, count: 9) + [0x01]),
      ("length of 2⁶³", [6, 0x0A] + [UInt8](repeating: 0x80, count: 9) + [0x01]),
      ("8 bytes cut", [4, 0x09, 1, 2, 3]),
      ("4 bytes cut", [4, 0x0D, 1, 2, 3]),
      ("text that is not UTF-8", [6, 0x0A, 0x02, 0xC3, 0x28]),
      ("header cut inside", [12, 0x32, 0x02, 0x0A, 0x05]),
      ("header that is not UTF-8", [12, 0x32, 0x03, 0x0A, 0x01, 0xFF]),
    ] as [(String, [UInt8])])
  func `a malformed frame is an error`(_ what: String, _ payload: [UInt8]) {
    #expect(throws: GridError(.protocolMismatch, ""), "\(what)") { try LinkFrame(payload: payload) }
  }

  @Test func `a frame that is cut anywhere is an error or a shorter frame, never a trap`() {
    for frame in FrameExamples.all where frame.bytes.count < 5000 {
      let payload = frame.bytes.dropFirst(4)
      for count in 0..<payload.count {
        do throws(GridError) {
          _ = try LinkFrame(payload: Array(payload.prefix(count)))
        } catch {
          #expect(error.code == .protocolMismatch)
        }
      }
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `random frames are an error or a frame that comes back, never a trap`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let kinds: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 20, 21, 22]
    for round in 0..<1000 {
      var payload = [kinds.randomElement(using: &generator) ?? 1]
      for _ in 0..<Int.random(in: 0...60, using: &generator) {
        payload.append(UInt8.random(in: 0...255, using: &generator) & (Bool.random(using: &generator) ? 0xFF : 0x1F))
      }
      try check(payload, "seed \(seed), round \(round)")
    }
  }

  @Test(arguments: 11...20 as ClosedRange<UInt64>)
  func `damaged frames are an error or a frame that comes back, never a trap`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let whole = FrameExamples.all.map(\.bytes).filter { $0.count < 5000 }
    for round in 0..<1000 {
      var payload = Array((whole.randomElement(using: &generator) ?? []).dropFirst(4))
      for _ in 0..<Int.random(in: 1...4, using: &generator) where !payload.isEmpty {
        let place = Int.random(in: 0..<payload.count, using: &generator)
        switch Int.random(in: 0...3, using: &generator) {
        case 0: payload[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: payload.remove(at: place)
        case 2: payload.insert(UInt8.random(in: 0...255, using: &generator), at: place)
        default: payload.removeSubrange(place...)
        }
      }
      try check(payload, "seed \(seed), round \(round)")
    }
  }

  private func check(_ payload: [UInt8], _ note: String) throws {
    let frame: LinkFrame
    do throws(GridError) {
      frame = try LinkFrame(payload: payload)
    } catch {
      #expect(error.code == .protocolMismatch, "\(note)")
      return
    }
    #expect(try LinkFrame(payload: Array(frame.bytes.dropFirst(4))) == frame, "\(note)")
  }
}
