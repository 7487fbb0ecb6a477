internal import GridCore
internal import Synchronization

/// What has happened, event by event, when somebody wants to know.
package final class SimulationTrace: Sendable {
  private let write: (@Sendable (String) -> Void)?
  /// A fingerprint of all events: two runs of one seed have the same.
  private let digest = Atomic<UInt64>(14_695_981_039_346_656_037)

  package init(_ write: (@Sendable (String) -> Void)? = nil) { self.write = write }

  package var fingerprint: UInt64 { digest.load(ordering: .relaxed) }

  package func note(_ world: SimulatedWorld, _ text: @autoclosure () -> String) {
    let time = world.now.nanoseconds - 1_000_000_000_000
    let line = text()
    var hash = digest.load(ordering: .relaxed)
    for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
    digest.store((hash ^ UInt64(bitPattern: time)) &* 1_099_511_628_211, ordering: .relaxed)
    guard let write else { return }
    let micros = String(time / 1000 % 1_000_000)
    let seconds = String(time / 1_000_000_000)
    write("\(seconds).\(String(repeating: "0", count: 6 - micros.count))\(micros)  \(line)")
  }
}
