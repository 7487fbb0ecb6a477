internal import GridCore

/// Which activations of actors there were, and what they have done: S6, S7 and S12. Pure.
struct ActivationLedger {
  /// One, as its behaviour tells of it.
  struct Activation {
    var name: String
    var epoch: Int64
    var process: String
    /// Which behaviour: each restart makes one.
    var behaviour: Int
  }

  private struct Known {
    var process: String
    var began: MonotonicTime
    var ended: MonotonicTime?
    /// The behaviour that was started last.
    var behaviour: Int
    /// Restarts since it began, or since somebody asked for one: that makes its supervision forget.
    var restarts = 0
    var isAsked = false
    var isBusy = false
  }

  /// By name, by epoch.
  private var known: [String: [Int64: Known]] = [:]
  /// By name: the newest epoch that has acted.
  private var acted: [String: Int64] = [:]
  /// The fenced resource of each name: the newest epoch that it knows of.
  private var resources: [String: Int64] = [:]

  /// Somebody asks for a restart, or has been told that there was one.
  mutating func restartIsAsked(_ name: String) {
    for epoch in (known[name] ?? [:]).keys {
      known[name]?[epoch]?.restarts = 0
      known[name]?[epoch]?.isAsked = true
    }
  }

  /// A behaviour starts.
  ///
  /// - Parameter isStrict: whether leases mean what they say.
  mutating func starts(
    _ new: Activation, at now: MonotonicTime, _ leases: LeaseLedger, _ processes: ProcessLedger, isStrict: Bool
  ) -> [Breach] {
    if var one = known[new.name]?[new.epoch] {
      let former = one.process
      (one.process, one.behaviour, one.ended, one.isBusy) = (new.process, new.behaviour, nil, false)
      one.restarts += 1
      known[new.name]?[new.epoch] = one
      return former == new.process
        ? Self.restartBreaches(new, one)
        : [Breach("S7", "epoch \(new.epoch) of \(new.name) was given to \(former) and \(new.process)")]
    }
    var breaches: [Breach] = []
    let others = known[new.name] ?? [:]
    if let largest = others.keys.max(), largest > new.epoch {
      breaches.append(Breach("S7", "epoch \(new.epoch) of \(new.name) was given after \(largest)"))
    }
    for (epoch, other) in others.sorted(by: { $0.key < $1.key })
    where other.ended == nil && isStrict && !processes.dead.contains(other.process)
      && leases.isValid(other.process, at: now)
    {
      breaches.append(
        Breach(
          "S6", "\(new.name) epoch \(new.epoch) starts on \(new.process), epoch \(epoch) still runs on \(other.process)"
        ))
    }
    known[new.name, default: [:]][new.epoch] = Known(
      process: new.process, began: now, behaviour: new.behaviour)
    return breaches
  }

  private static func restartBreaches(_ new: Activation, _ known: Known) -> [Breach] {
    let budget = RestartPolicy.standard.maximumRestarts + (known.isAsked ? 1 : 0)
    guard known.restarts > budget else { return [] }
    return [Breach("S12", "\(new.name) epoch \(new.epoch) was started \(known.restarts) times again, of \(budget)")]
  }

  /// A message comes to a behaviour.
  mutating func acts(_ one: Activation, at now: MonotonicTime, _ leases: LeaseLedger, isStrict: Bool) -> [Breach] {
    var breaches: [Breach] = []
    let what = "\(one.name) epoch \(one.epoch) on \(one.process)"
    if let known = known[one.name]?[one.epoch] {
      if known.behaviour != one.behaviour { breaches.append(Breach("S12", "\(what) acts though it was replaced")) }
      if known.ended != nil { breaches.append(Breach("S12", "\(what) acts after its end")) }
      if known.isBusy { breaches.append(Breach("S12", "\(what) has two messages at once")) }
    } else {
      breaches.append(Breach("S12", "\(what) acts before its start"))
    }
    if !leases.isValid(one.process, at: now) { breaches.append(Breach("S6", "\(what) acts without a lease")) }
    let newest = acted[one.name] ?? 0
    if newest > one.epoch, isStrict { breaches.append(Breach("S6", "\(what) acts after epoch \(newest)")) }
    acted[one.name] = max(newest, one.epoch)
    known[one.name]?[one.epoch]?.isBusy = true
    return breaches
  }

  /// The behaviour has done with the message.
  mutating func rests(_ one: Activation) {
    if known[one.name]?[one.epoch]?.behaviour == one.behaviour { known[one.name]?[one.epoch]?.isBusy = false }
  }

  /// The resource of a name is written to, with the epoch of who writes: it takes none that is older than one it knows.
  ///
  /// - Parameter takesAll: whether it does not look, as a planted fault has it.
  mutating func writes(_ one: Activation, takesAll: Bool) -> [Breach] {
    let newest = resources[one.name] ?? 0
    guard one.epoch < newest else {
      resources[one.name] = one.epoch
      return []
    }
    guard takesAll else { return [] }
    resources[one.name] = one.epoch
    return [Breach("S7", "the resource of \(one.name) took epoch \(one.epoch) after \(newest)")]
  }

  mutating func stops(_ one: Activation, at now: MonotonicTime) {
    guard known[one.name]?[one.epoch]?.behaviour == one.behaviour else { return }
    known[one.name]?[one.epoch]?.ended = now
  }

  /// Whether a process ran the actor in that time that was killed, whenever that was.
  func wasWithKilled(
    _ name: String, from: MonotonicTime, to: MonotonicTime, _ processes: ProcessLedger
  ) -> Bool {
    (known[name] ?? [:]).values.contains { one in
      processes.killed.contains(one.process) && one.began <= to && one.ended.map { $0 >= from } ?? true
    }
  }
}
