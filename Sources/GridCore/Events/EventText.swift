/// Events and ends in words, for people. Nothing reads these texts; what programs need stands in fields of its own.
package enum EventText {
  package static func of(_ fact: GridEvent.Fact) -> String {
    switch fact {
    case .nodeJoined(let namespace, let incarnation): "joined namespace \(namespace) as incarnation \(incarnation)"
    case .nodeLeaves: "leaves"
    case .nodeLostMembership(let error): "lost its membership, stops its actors and joins again: \(error)"
    case .certificateExpires(let time): "its certificate expires at \(time.rfc3339)"
    case .logInRefused("", _, let count, let error): "refused \(count) more log-ins, the last: \(error.message)"
    case .logInRefused(let place, let name, _, let error):
      "refused a log-in from \(place)\(name.isEmpty ? "" : " as \(NameRules.quoted(name))"): \(error.message)"
    case .peerJoined(let address): "joined at \(address)"
    case .peerLeft: "left"
    case .peerDied: "died"
    case .actorSpawned(let kind, _): "spawned as kind \(kind)"
    case .actorEnded(let reason, _): of(reason)
    case .actorFailed(let error, let pause): "failed, restarts in \(pause.gridText): \(error)"
    case .actorRestarted(.request): "restarted by request"
    case .actorRestarted(.supervision): "restarted"
    case .singletonFailed(let error, let count, let pause):
      "singleton failed \(CountText.timesInARow(count)), is started again in \(pause.gridText): \(error)"
    case .leaderElected(let node, let token): "\(node) leads with token \(token)"
    case .leaderLost: "has no leader"
    case .linkOpened: "opened"
    case .linkClosed(let error): "closed: \(error.message)"
    case .other(_, let text): text
    }
  }

  package static func of(_ reason: TerminationReason) -> String {
    switch reason {
    case .request, .killed: "stopped by request"
    case .handlerDidNotReturn: "stopped by request, its handler did not return"
    case .itself: "stopped itself"
    case .nodeLeaves: "stopped: the node leaves"
    case .leaseLost: "stopped: the node lost its lease"
    case .failed(let error): "stopped: \(error)"
    case .supervisionGaveUp(let error, let restarts, let window):
      "stopped: restarted \(CountText.times(restarts)) within \(window.gridText), then failed again: \(error)"
    case .cannotBeMadeAgain(let error): "stopped: cannot be made again: \(error)"
    case .couldNotStart(let error): "stopped: it could not start: \(error)"
    case .startBrokenOff: "stopped: the node left or lost its lease before it could start"
    case .stoppedBeforeStart: "stopped before it had started"
    case .benchmarkIsOver: "stopped: the benchmark is over"
    }
  }
}
