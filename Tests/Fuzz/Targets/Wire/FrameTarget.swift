internal import FuzzSupport

@testable internal import GridLink

/// Bytes as one frame: it is refused, or comes out of its own encoding as it went in.
let frameTarget = FuzzTarget("frame") { bytes in
  guard let frame = LinkFrame.decoded(bytes) else { return }
  let encoded = frame.encoded
  try promise(LinkFrame.decoded(encoded.dropFirst(4)) == frame, "\(frame) is another frame once it was sent")
  if let fitted = frame.fitted {
    try promise(fitted.encoded.count <= 4 + LinkFrame.maximumBytes, "\(frame) was said to fit and does not")
  }
}

extension LinkFrame {
  /// The frame that bytes are, their length left out; nil where they are none.
  static func decoded(_ bytes: some Collection<UInt8>) -> LinkFrame? {
    Array(bytes).withUnsafeBytes { try? LinkFrame(decoding: $0) }
  }

  /// The frames in bytes that were sent, with the rest that is no whole frame.
  static func split(_ bytes: some Collection<UInt8>) -> (frames: [[UInt8]], rest: ArraySlice<UInt8>) {
    var rest = Array(bytes)[...]
    var frames: [[UInt8]] = []
    while rest.count >= 4 {
      let length = 4 + rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      guard rest.count >= length else { break }
      frames.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return (frames, rest)
  }
}
