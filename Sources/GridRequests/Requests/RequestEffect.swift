/// What a control request does, so that whoever asked knows what to do when the answer does not come.
package enum RequestEffect: Sendable, Equatable {
  /// It is about the very node that was asked: no other one can stand in.
  case own
  /// As ``own``, and the node that leaves because of it answers first.
  case ownChange
  /// It changes nothing: any node may be asked instead.
  case reading
  /// It changes something, and twice is as good as once: another node may be asked again.
  case repeatable
  /// It changes something each time: it may be asked again only where it was certainly not carried out.
  case once
}
