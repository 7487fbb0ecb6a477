internal import GridCore

/// Who has led what with which token: S8. Pure.
struct LeaderLedger {
  private var leaders: [String: (token: Int64, process: String)] = [:]

  /// A process believes that it leads: under a lease that has not ended, and as nobody else does or did later.
  ///
  /// - Parameter isStrict: whether leases mean what they say.
  mutating func leads(
    _ name: String, token: Int64, process: String, at now: MonotonicTime, _ leases: LeaseLedger, isStrict: Bool
  ) -> [Breach] {
    var breaches: [Breach] = []
    if !leases.isValid(process, at: now) {
      breaches.append(Breach("S8", "\(process) leads \(name) with token \(token), and its lease has ended"))
    }
    if let former = leaders[name] {
      if former.token > token, isStrict {
        breaches.append(
          Breach("S8", "\(process) leads \(name) with token \(token) after \(former.process) with \(former.token)"))
      } else if former.token == token, former.process != process {
        breaches.append(Breach("S8", "\(process) and \(former.process) lead \(name) with token \(token)"))
      }
    }
    if leaders[name]?.token ?? 0 <= token { leaders[name] = (token, process) }
    return breaches
  }
}
