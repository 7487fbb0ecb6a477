/// What does not keep a rule yet, as it is today. Entries only shrink: lower one when there is less, remove it when there
/// is none. New ones are not added.
enum Ratchet {
  /// What is longer than it should be: files by their path, functions by `path#name`, with their lines. Divide the code
  /// instead.
  static let lines: [String: Int] = [:]

  /// Keys of JSON outside codecs; see ``CountedRules/subscripts``.
  static let subscripts: [String: Int] = [
    "Sources/Grid/Control/NodeRuntime+Bench.swift": 7,
    "Sources/Grid/Control/NodeRuntime+BenchNames.swift": 1,
    "Sources/Grid/Control/NodeRuntime+Control.swift": 3,
    "Sources/Grid/Control/NodeRuntime+DeadLetters.swift": 14,
    "Sources/Grid/Control/NodeRuntime+Lists.swift": 10,
    "Sources/Grid/Control/NodeRuntime+Reports.swift": 16,
    "Sources/Grid/Control/NodeRuntime+Spawning.swift": 1,
    "Sources/Grid/Control/NodeRuntime+Streams.swift": 5,
    "Sources/Grid/Control/NodeRuntime+Tracing.swift": 11,
    "Sources/Grid/DeadLetters/NodeRuntime+LetterNotes.swift": 1,
    "Sources/Grid/Events/ClusterStreams.swift": 1,
    "Sources/Grid/GridNode.swift": 1,
    "Sources/Grid/Health/NodeRuntime+Health.swift": 1,
    "Sources/Grid/Leaders/NodeRuntime+Leaders.swift": 5,
    "Sources/Grid/Leaders/NodeRuntime+Runs.swift": 2,
    "Sources/Grid/Leaders/NodeRuntime+Singletons.swift": 1,
    "Sources/GridActors/BuiltIn/BuiltInKinds.swift": 1,
    "Sources/GridActors/Cells/ActorCell+Report.swift": 2,
    "Sources/GridActors/Exec/JSONExecBehavior.swift": 14,
  ]

  /// Clocks, sleeping and continuations outside of their room; see ``CountedRules/waiting``.
  static let waiting: [String: Int] = [
    "Sources/Grid/Control/NodeRuntime+Bench.swift": 2,
    "Sources/Grid/Control/NodeRuntime+BenchNames.swift": 1,
    "Sources/Grid/Control/NodeRuntime+Spawning.swift": 1,
    "Sources/Grid/DeadLetters/DeadLetterOffice.swift": 2,
    "Sources/Grid/Health/NodeRuntime+Health.swift": 1,
    "Sources/Grid/Node/ClaimReleases.swift": 1,
    "Sources/Grid/Node/LocalSocket.swift": 1,
    "Sources/Grid/Node/NodeAssembly.swift": 1,
    "Sources/Grid/Node/NodeRuntime+Joining.swift": 1,
    "Sources/Grid/Node/NodeRuntime.swift": 3,
    "Sources/Grid/Routing/NodeRuntime+Routing.swift": 1,
    "Sources/Grid/Routing/PeerLinks.swift": 1,
    "Sources/GridCluster/ChangeBell.swift": 1,
    "Sources/GridCluster/Membership.swift": 4,
    "Sources/GridCommands/Lines/LineSender.swift": 3,
    "Sources/GridCommands/Output/LineFeed.swift": 4,
    "Sources/GridREPL/Jobs/Job.swift": 1,
    "Sources/GridREPL/Terminal/Terminal.swift": 2,
    "Sources/GridStoreEtcd/Connection/Credentials.swift": 2,
    "Sources/GridStoreEtcd/Connection/EngineTasks.swift": 3,
    "Sources/GridStoreEtcd/Connection/LoopExecutor.swift": 3,
    "Sources/GridStoreEtcd/Watches/WatchFeed.swift": 4,
    "Sources/GridStoreSQLite/SQLiteCoordinationStore.swift": 2,
    "Sources/GridStoreSQLite/SQLiteDeadLetterLog.swift": 1,
    "Sources/GridStoreSQLite/StoreThread.swift": 3,
    "Sources/GridStoreSQLite/StoreWatcher.swift": 4,
    "Sources/GridSystem/Processes/AttachedChild.swift": 4,
    "Sources/GridSystem/Processes/ExitLatch.swift": 2,
    "Sources/GridSystem/Processes/GuardConnection.swift": 6,
    "Sources/GridSystem/Processes/LineQueue.swift": 3,
    "Sources/GridSystem/Processes/LineWriter.swift": 2,
    "Sources/GridSystem/Sockets/SocketDirectoryLock.swift": 3,
    "Sources/GridSystem/Time/SystemClock.swift": 1,
    "Sources/GridTestKit/Conformance/ConformanceFailure.swift": 3,
    "Sources/GridTestKit/Conformance/StoreWatchCases.swift": 1,
    "Sources/GridTestKit/Memory/InMemoryStoreServer.swift": 4,
  ]

  /// Lines with a public declaration, by room; see ``CountedRules/publicNames``.
  static let publicNames: [String: Int] = [
    "Grid": 67,
    "GridActors": 29,
    "GridClient": 11,
    "GridCommands": 1,
    "GridCore": 450,
    "GridLink": 6,
    "GridStoreEtcd": 31,
    "GridTestKit": 85,
  ]
}
