internal import GridCore

extension PeerReport {
  /// A peer that has said nothing of itself yet.
  static func example(_ name: String, _ status: Status = .alive) -> PeerReport {
    PeerReport(
      record: NodeRecord(
        name: name, address: "127.0.0.1:1", incarnation: 1, version: "1", labels: [:], kinds: [],
        startedAt: CalendarTime(millisecondsSince1970: 0)),
      status: status, isSelf: false)
  }
}
