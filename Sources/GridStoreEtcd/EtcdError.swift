internal import GRPCCore
internal import GridCore

/// What an error of etcd means to us, and whether another member might do better.
struct EtcdFailure: Error {
  var error: GridError
  /// Another attempt may succeed.
  var isTransient: Bool
  /// The operation was certainly not carried out.
  var isCertain: Bool

  init(_ error: any Error) {
    guard let failure = error as? RPCError else {
      self.error = GridError.wrapping(error, as: .unavailable, "etcd cannot be reached")
      isTransient = true
      isCertain = false
      return
    }
    let text = failure.message
    func final(_ code: GridError.Code, _ message: String, hint: String? = nil) -> (GridError, Bool, Bool) {
      (GridError(code, message, hint: hint), false, true)
    }
    let (error, isTransient, isCertain) =
      switch failure.code {
      case .notFound where text.contains("lease"): final(.leaseLost, "the lease has ended")
      case .resourceExhausted where text.contains("space"):
        final(
          .unavailable, "etcd is out of space (alarm NOSPACE): \(text)",
          hint: "compact and defragment it, then: etcdctl alarm disarm")
      case .outOfRange: final(.unavailable, "etcd has compacted that revision: \(text)")
      case .unauthenticated, .permissionDenied:
        final(
          .refused, "etcd refuses this user: \(text)", hint: "see GRIDCTL_ETCD_USER and GRIDCTL_ETCD_PASSWORD_FILE")
      case .invalidArgument where text.contains("authentication") || text.contains("user name"):
        final(
          .refused, "etcd refuses this user: \(text)", hint: "see GRIDCTL_ETCD_USER and GRIDCTL_ETCD_PASSWORD_FILE")
      case .invalidArgument: final(.undecodable, "etcd refuses the request: \(text)")
      case .failedPrecondition: final(.unavailable, "etcd refuses the request: \(text)")
      case .cancelled where Task.isCancelled: final(.cancelled, "cancelled")
      default:
        (
          GridError(
            .unavailable, "etcd cannot be reached: \(text)", hint: "see whether it runs: etcdctl endpoint health"),
          true, false
        )
      }
    self.error = error
    self.isTransient = isTransient
    self.isCertain = isCertain
  }
}
