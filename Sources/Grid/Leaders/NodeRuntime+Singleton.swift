internal import GridActors
internal import GridCluster
internal import GridConcurrency
internal import GridCore
internal import Logging

extension NodeRuntime {
  /// The kind and the name of the one actor that runs once in a namespace, wherever its kind is offered, as in
  /// lytics/grid.
  static let singleton = "leader"

  /// How long until a missed piece of news is noticed.
  private static let singletonPatience = Duration.seconds(2)

  /// Sees to it that the actor `leader` runs somewhere, as long as this node offers its kind.
  ///
  /// Every node that offers it tries; the name's uniqueness lets one succeed, and the others wait until it is free.
  func keepSingleton() async {
    guard let kind = kinds[Self.singleton] else { return }
    let backoff = Backoff(first: .milliseconds(50), limit: .seconds(2))
    var failures = 0
    while !Task.isCancelled {
      let ring = membership.directory.listen(for: Self.singleton)
      if membership.directory.cached(Self.singleton) == nil, !stopRequested.isOpen {
        do {
          _ = try await spawnHere(SpawnRequest(kind: kind.name, name: Self.singleton), kind)
          failures = 0
          mended(.singleton(Self.singleton), "the singleton was started")
        } catch {
          let failure = GridError.wrapping(error, as: .failed, "")
          if failure.code != .nameTaken {
            stands(.singleton(Self.singleton), failure, "the singleton cannot be started here")
            failures += 1
          }
        }
      }
      await ring.wait(atMost: failures == 0 ? Self.singletonPatience : backoff.pause(before: failures))
    }
  }
}
