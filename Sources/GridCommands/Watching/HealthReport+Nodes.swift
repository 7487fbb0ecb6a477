internal import GridCore
internal import GridRequests

/// What the nodes say of themselves.
extension HealthReport {
  /// Names that a finding lists.
  private static let longestList = 5

  mutating func lookAtLetters(_ limits: HealthLimits) {
    let span = HumanText.duration(limits.window)
    let recent = measure("dead_letters", "Messages that became dead letters in the window.", limits.deadLetters) {
      $0.deadLetters.recent ?? 0
    }
    let said = recent.sum == 0 ? "none" : "\(recent.sum)"
    add(
      Finding(
        name: "dead letters", status: recent.status, message: "\(said) in the last \(span)",
        advice: recent.status == .ok ? nil : "see: gridctl dead-letters list --since \(span)"))
    let dropped = measure("dead_letters_dropped", "Dead letters that there was no room for.", limits.dropped) {
      $0.deadLetters.dropped ?? 0
    }
    if dropped.status != .ok {
      add(
        Finding(
          name: "dead letters", status: dropped.status, message: "\(dropped.sum) were dropped for lack of room",
          advice: "replay or purge what is kept, or raise --dead-letter-capacity of gridctl node start"))
    }
    for node in nodes {
      guard let failure = node.deadLetters.failure else { continue }
      add(
        Finding(
          name: Self.name(node), status: .critical, message: "it cannot keep dead letters: \(failure)",
          advice: node.deadLetters.advice ?? "make room under its state directory"))
    }
  }

  mutating func lookAtActors(_ limits: HealthLimits) {
    let span = HumanText.duration(limits.window)
    let ended = measure("actors_ended", "Actors that ended by failing in the window.", limits.ended) {
      $0.ended
    }
    let failing = measure("actors_failing", "Actors that failed in the window.", limits.failing) {
      $0.failing
    }
    if ended.sum > 0 {
      add(
        Finding(
          name: "actors", status: ended.status,
          message: "\(ended.sum) ended by failing in the last \(span): \(failures(thatEnded: true))",
          advice: "spawn them again once the reason is mended; see: gridctl events --kind actor --since \(span)"))
    }
    let others = max(0, failing.sum - ended.sum)
    if others > 0 {
      add(
        Finding(
          name: "actors", status: failing.status,
          message: "\(others) failed in the last \(span), and went on: \(failures(thatEnded: false))",
          advice: "see: gridctl inspect ACTOR"))
    }
    if failing.sum == 0 { add(Finding(name: "actors", status: .ok, message: "none failed in the last \(span)")) }
  }

  private func failures(thatEnded: Bool) -> String {
    let all = nodes.flatMap(\.failingActors).filter { $0.hasEnded == thatEnded }
    let told = all.prefix(Self.longestList).map { actor in
      "\(actor.name) (\(CountText.times(actor.count)), last: "
        + "\(HumanText.excerpt(actor.message, 120)))"
    }
    return (told + (all.count > told.count ? ["…"] : [])).joined(separator: ", ")
  }

  /// What is tried again and again: singletons that cannot be started or do not stay up, watches that hear nothing.
  mutating func lookAtTroubles(_ limits: HealthLimits) {
    let all = nodes.flatMap { node in node.troubles.map { (node, $0) } }
    let singletons = Dictionary(
      grouping: all.filter { $0.1.kind == .singleton }, by: { $0.1.name })
    add(
      Measure(
        name: "singletons_unstarted", help: "Actors that should run once, and cannot be started or do not stay up.",
        value: singletons.count, bound: limits.unstarted))
    for (name, troubles) in singletons.sorted(by: { $0.key < $1.key }) {
      guard let (_, trouble) = troubles.first else { continue }
      let places = troubles.map(\.0.node).sorted().joined(separator: ", ")
      add(
        Finding(
          name: "singleton \(name)", status: limits.unstarted.status(singletons.count),
          message: "it cannot be started, or does not stay up, on \(places): \(trouble.message)",
          advice: trouble.advice ?? "look at the logs of the nodes that offer it"))
    }
    for (node, trouble) in all where trouble.kind == .watch {
      add(
        Finding(
          name: Self.name(node), status: .critical,
          message: "it hears no news of \(trouble.name) from the coordination store: "
            + trouble.message,
          advice: trouble.advice ?? "what it shows may be old; is the store well?"))
    }
  }

  /// Of a file system of which a twentieth is left, or less: with so little a node soon cannot do its work.
  private static let leastSpace = 16 << 20
  /// And so little is told before it is too late.
  private static let littleSpace = 1 << 30

  mutating func lookAtSpace() {
    for node in nodes {
      guard let free = node.stateBytesFree, let total = node.stateBytesTotal, let directory = node.stateDirectory,
        free <= total / 20, free < Self.littleSpace
      else { continue }
      let left = "\(HumanText.bytes(free)) of \(HumanText.bytes(total))"
      add(
        Finding(
          name: Self.name(node), status: free < Self.leastSpace ? .critical : .warning,
          message: "\(left) are left for its state directory, \(directory)",
          advice: "make room there: names, dead letters and the audit log need it"))
    }
  }

  /// What was weakened on purpose is told and no fault, but for connections that are not encrypted.
  mutating func lookAtDefaults() {
    for node in nodes where !node.weakened.isEmpty {
      let isOpen = node.weakened.contains("--insecure")
      let store = node.weakened.first { $0.hasPrefix("--store") }
      let advice = [
        isOpen ? "what it sends can be read on the way; give it a certificate instead: gridctl help tls" : nil,
        store.map { _ in "whoever is on the way to the store decides who holds a name: --store etcds://HOST:PORT" },
      ].compactMap(\.self)
      add(
        Finding(
          name: Self.name(node), status: advice.isEmpty ? .ok : .warning,
          message: "its defaults are weakened: \(node.weakened.joined(separator: ", "))",
          advice: advice.isEmpty ? nil : advice.joined(separator: "\n")))
    }
  }

  // MARK: Encryption

  /// Before so long a certificate that ends is told.
  private static let certificateNotice = 14 * 86_400.0

  mutating func lookAtEncryption(_ node: NodeHealth) {
    if let failure = node.certificateFailure {
      add(
        Finding(
          name: Self.name(node), status: .warning,
          message: "its certificate was replaced and cannot be used, the one before stays: \(failure)",
          advice: node.certificateAdvice))
    }
    guard let left = node.certificateSecondsLeft, left < Self.certificateNotice else { return }
    let hasExpired = left < 0
    let time = HumanText.duration(abs(left))
    add(
      Finding(
        name: Self.name(node), status: hasExpired ? .critical : .warning,
        message: hasExpired ? "its certificate expired \(time) ago" : "its certificate expires in \(time)",
        advice: "on its machine, without a restart: gridctl tls issue --ca DIR --name \(node.node) --force"))
  }

  // MARK: Who comes in

  /// Whether what people do is written down, and who was not let in.
  mutating func lookAtAudit(_ limits: HealthLimits) {
    for node in nodes {
      guard let failure = node.auditFailure else { continue }
      add(Finding(name: Self.name(node), status: .critical, message: failure, advice: node.auditAdvice))
    }
    let refused = measure("refused_logins", "Log-ins that were refused in the window.", limits.refused) {
      $0.refusedLogIns
    }
    guard refused.sum > 0 else { return }
    let span = HumanText.duration(limits.window)
    let last = nodes.compactMap(\.lastRefusal).first.map { ", the last from \(HumanText.excerpt($0, 120))" } ?? ""
    add(
      Finding(
        name: "log-ins", status: refused.status, message: "\(refused.sum) were refused in the last \(span)\(last)",
        advice: "see: gridctl audit list --denied --since \(span)"))
  }

  // MARK: Stores

  /// The first release of etcd whose watches and leases keep what they promise; Debian has an older one.
  private static let soundEtcd = [3, 4, 42]

  /// A finding for each store that nodes tell of: one, when all is well.
  mutating func lookAtStores() {
    var told: Set<String> = []
    for node in nodes {
      let store = node.store
      if let failure = store.failure {
        add(
          Finding(
            name: "store", status: .critical, message: "as \(Self.name(node)) sees it: \(failure)",
            advice: store.advice))
        continue
      }
      let finding = Self.finding(store)
      if told.insert(finding.message).inserted { add(finding) }
    }
  }

  private static func finding(_ store: StoreReport) -> Finding {
    let version = store.version ?? "-"
    let text = "\(store.engine ?? "-"), \(version), at \(store.place ?? "-")"
    let numbers = (version.split(separator: " ").last ?? "").split(separator: ".").compactMap { Int($0) }
    guard store.engine == "etcd", numbers.count == 3, numbers.lexicographicallyPrecedes(soundEtcd) else {
      return Finding(name: "store", status: .ok, message: text)
    }
    return Finding(
      name: "store", status: .warning, message: text,
      advice: "before 3.4.42 etcd can lose live leases and watch events; gridctl bears that, an upgrade avoids it")
  }
}
