// swift-tools-version: 6.2
import PackageDescription

// Programs for the fuzzing engine, which wants them to be built with it: see `make fuzz`. No other build knows of them.
let isFuzzing = Context.environment["GRIDCTL_FUZZ"] != nil

// The engine looks through the counters of all that is instrumented after each input: our own rooms are, and what they
// use is not unless --sanitize=fuzzer says so, since that would be most of it.
let fuzzing: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []

let house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .treatAllWarnings(as: .error),
]

/// For rooms that use Glibc's structures and Foundation: built as a whole, the compiler ascribes the members of those
/// structures to whichever module of Foundation has imported them first, so that no import makes them visible.
let besideFoundation = house + fuzzing

let strict = besideFoundation + [.enableUpcomingFeature("MemberImportVisibility")]

func room(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], settings: [SwiftSetting] = strict
) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")

let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

// GNU Readline is licensed under the GPL. GRIDCTL_WITHOUT_READLINE=1 builds a gridctl without it: the session then
// reads whole lines, without editing keys, completion and recall.
let hasReadline = Context.environment["GRIDCTL_WITHOUT_READLINE"] == nil

// Without the trait neither the engine nor gRPC is built: swift build --product gridctl --disable-default-traits
let etcd = TargetDependencyCondition.when(traits: ["Etcd"])

/// The targets of one folder of Tests/Fuzz, as a program.
func fuzzProgram(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  let others = ["Values", "Wire", "Texts", "Stores"].filter { $0 != name }
  return .executableTarget(
    name: "Fuzz\(name)", dependencies: dependencies + ["FuzzEngine", "FuzzSupport"], path: "Tests/Fuzz",
    exclude: ["Corpus", "Engine", "Replay", "Support", "fuzz.sh"]
      + others.flatMap { ["Targets/\($0)", "Programs/\($0).swift"] },
    swiftSettings: besideFoundation + [.unsafeFlags(["-parse-as-library"])],
    linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])])
}

let valueRooms: [Target.Dependency] = ["GridCore", "GridRequests", "GridCluster"]
let wireRooms: [Target.Dependency] = [
  "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink", "GridActors", nioCore,
  nioEmbedded, logging,
]
let textRooms: [Target.Dependency] = ["GridCore", "GridCommands", "GridREPL", "Yams", "TOMLKit"]
let storeRooms: [Target.Dependency] = [
  "GridCore", "GridStoreSQLite", "GridStoreEtcd", grdb, grdbSQLite, protobuf,
]
let fuzzTargets: [Target] = [
  .target(name: "FuzzEngine", dependencies: ["FuzzSupport"], path: "Tests/Fuzz/Engine", swiftSettings: strict),
  fuzzProgram("Values", valueRooms), fuzzProgram("Wire", wireRooms), fuzzProgram("Texts", textRooms),
  fuzzProgram("Stores", storeRooms),
]

/// What the engine for etcd reads and reckons, without what calls it: the gRPC for that takes longer to build than all
/// the rest.
let pureEtcd = Target.target(
  name: "GridStoreEtcd", dependencies: ["GridCore", protobuf], path: "Sources/GridStoreEtcd",
  exclude: [
    "Generated/etcd.proto", "Generated/README.md", "Connection", "EtcdCoordinationStore.swift",
    "Leases/LeaseKeeper.swift", "Leases/LeaseRounds.swift", "Transactions/EraKeeper.swift",
    "Transactions/RangeReader.swift", "Transactions/TransactionRunner.swift", "Watches/EtcdWatch.swift",
    "Watches/EtcdWatch+Stream.swift", "Watches/WatchFeed.swift",
  ], swiftSettings: strict)

/// The same functions with the inputs that are kept, in an ordinary suite.
let fuzzTests: [Target] = [
  .testTarget(
    name: "GridFuzzTests",
    dependencies: [
      "FuzzSupport", "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridCluster", "GridLink",
      "GridActors",
      "GridCommands", "GridREPL", "GridStoreSQLite", "GridStoreEtcd", "Yams", "TOMLKit", nioCore, nioEmbedded,
      logging, grdb, grdbSQLite, protobuf,
    ],
    path: "Tests/Fuzz", exclude: ["Corpus", "Engine", "Programs", "Support", "fuzz.sh"], swiftSettings: besideFoundation
  )
]

let package = Package(
  name: "gridctl",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "gridctl", targets: ["gridctl"]),
    .library(name: "Grid", targets: ["Grid"]),
    .library(name: "GridClient", targets: ["GridClient"]),
    .library(name: "GridTestKit", targets: ["GridTestKit"]),
    .library(name: "GridStoreEtcd", targets: ["GridStoreEtcd"]),
  ],
  traits: [
    .trait(name: "Etcd", description: "The etcd engine of the coordination store, with the gRPC it needs."),
    .default(enabledTraits: ["Etcd"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.34.0"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.38.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    room("GridCore", []),
    room("GridConcurrency", ["GridCore", deque]),
    .target(name: "CProcessGuard"),
    room(
      "GridSystem", ["GridCore", "GridConcurrency", "CProcessGuard", nioCore, nioPosix, logging, deque],
      settings: besideFoundation),
    room("GridRequests", ["GridCore"]),
    room(
      "GridLink",
      [
        "GridCore", "GridConcurrency", "GridSystem", "GridRequests", nioCore, nioPosix, logging, deque,
        .product(name: "Crypto", package: "swift-crypto"), nioSSL,
      ],
      exclude: ["Wire/LINK.md", "Wire/link.proto"]),
    room(
      "GridSecurity",
      [
        "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink", deque,
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "X509", package: "swift-certificates"),
        .product(name: "SwiftASN1", package: "swift-asn1"),
      ], settings: besideFoundation),
    room(
      "GridActors",
      [
        "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "CProcessGuard", nioCore, nioPosix, logging, deque,
      ]),
    room("GridCluster", ["GridCore", "GridConcurrency", "GridRequests", logging, deque]),
    room(
      "GridStoreSQLite",
      ["GridCore", "GridConcurrency", "GridSystem", grdb, deque]),
    room(
      "GridStoreEtcd",
      [
        "GridCore", "GridConcurrency", "GridSystem", nioCore, nioPosix, deque,
        nioSSL,
        .product(name: "GRPCCore", package: "grpc-swift-2", condition: etcd),
        .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport", condition: etcd),
        .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf", condition: etcd),
        .product(name: "SwiftProtobuf", package: "swift-protobuf", condition: etcd),
      ], exclude: ["Generated/etcd.proto", "Generated/README.md"]),
    room(
      "Grid",
      [
        "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink", "GridActors", "GridCluster",
        "GridSecurity", "GridStoreSQLite",
        .target(name: "GridStoreEtcd", condition: etcd), logging, nioCore, nioPosix, deque,
      ],
      settings: besideFoundation),
    room(
      "GridClient",
      ["GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink", nioCore, nioPosix, logging, deque]),
    room(
      "GridCommands",
      [
        "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridActors", "GridClient", "GridSecurity", "Grid",
        logging, "Yams", "TOMLKit", argumentParser, deque,
      ], settings: besideFoundation),
    .target(
      name: "CReadline",
      cSettings: hasReadline ? [] : [.define("GRID_WITHOUT_READLINE")],
      linkerSettings: hasReadline ? [.linkedLibrary("readline"), .linkedLibrary("tinfo")] : []),
    room(
      "GridREPL",
      [
        "GridCommands", "GridClient", "GridActors", "GridRequests", "GridSystem", "GridCore", "GridConcurrency",
        "CReadline", argumentParser, deque,
      ]),
    .executableTarget(name: "gridctl", dependencies: ["GridCommands", "GridREPL"], swiftSettings: strict),
    room(
      "GridTestKit",
      [
        "GridCore", "GridConcurrency", "GridSystem", "GridRequests", "GridLink", "GridActors", "GridCluster", "Grid",
        nioCore, nioEmbedded, logging, deque,
      ]),
    .executableTarget(
      name: "GridSimulator", dependencies: ["GridTestKit", "GridCore", "Grid"], path: "Tests/Simulator",
      swiftSettings: strict),

    .executableTarget(
      name: "GridExample", dependencies: ["Grid"], path: "Tests/Example", swiftSettings: [.swiftLanguageMode(.v6)]),
    .executableTarget(
      name: "GridClientExample", dependencies: ["GridClient"], path: "Tests/ClientExample",
      swiftSettings: [.swiftLanguageMode(.v6)]),
    .executableTarget(
      name: "ProcessHolder",
      dependencies: ["GridActors", "GridSystem", "GridConcurrency", "GridCore", nioCore, nioPosix],
      path: "Tests/Support/ProcessHolder", swiftSettings: strict),
    .executableTarget(
      name: "LeaseHolder", dependencies: ["GridStoreEtcd", "GridSystem", "GridCore"],
      path: "Tests/Support/LeaseHolder",
      swiftSettings: strict),
    .target(name: "FuzzSupport", path: "Tests/Fuzz/Support", swiftSettings: strict),
    tests("GridTidyTests", []),
    tests("GridCoreTests", ["GridCore"]),
    tests("GridConcurrencyTests", ["GridConcurrency", "GridCore"]),
    tests("GridSystemTests", ["GridSystem", "GridConcurrency", "GridCore", "TestSupport"]),
    tests("GridRequestsTests", ["GridRequests", "GridCore"]),
    tests(
      "GridClientTests",
      ["GridClient", "GridRequests", "GridLink", "GridSystem", "GridConcurrency", "GridCore", "Grid"]),
    tests("GridSimulationTests", ["GridTestKit", "GridSimulator", "Grid", "GridCore", "TestSupport"]),
    tests(
      "GridLinkTests",
      [
        "GridLink", "GridRequests", "GridSystem", "GridConcurrency", "GridCore", "GridSecurity", nioCore, nioPosix,
        nioEmbedded, nioSSL,
      ]),
    tests(
      "GridSecurityTests",
      [
        "GridSecurity", "GridLink", "GridRequests", "GridSystem", "GridConcurrency", "GridTestKit", "GridCore",
        "TestSupport", nioCore, nioPosix, nioSSL,
      ]),
    tests(
      "GridActorsTests",
      [
        "GridActors", "GridRequests", "GridSystem", "GridConcurrency", "GridTestKit", "GridCore", "CProcessGuard",
        "ProcessHolder", nioCore, nioPosix,
      ]),
    .target(name: "CPseudoTerminal", path: "Tests/Support/CPseudoTerminal"),
    tests(
      "GridREPLTests",
      [
        "GridREPL", "GridCommands", "GridClient", "GridRequests", "GridSystem", "GridConcurrency", "GridCore", "Grid",
        "CPseudoTerminal", "TestSupport", "gridctl", logging,
      ]),
    .executableTarget(
      name: "StoreHolder",
      dependencies: [
        "GridStoreSQLite", "Grid", "GridSystem", "GridCore", grdb,
      ],
      path: "Tests/Support/StoreHolder", swiftSettings: strict),
    tests(
      "GridStoreSQLiteTests",
      [
        "GridStoreSQLite", "GridTestKit", "Grid", "GridActors", "GridSystem", "GridConcurrency", "GridCore",
        "StoreHolder", nioCore, nioPosix,
        grdb,
      ]),
    tests("GridClusterTests", ["GridCluster", "GridConcurrency", "GridRequests", "GridTestKit", "GridCore"]),
    tests(
      "GridTests",
      [
        "Grid", "GridActors", "GridCluster", "GridLink", "GridRequests", "GridSystem", "GridConcurrency", "GridTestKit",
        "GridStoreSQLite", "GridCore", "TestSupport", logging, nioCore,
      ]),
    tests(
      "GridStoreEtcdTests",
      [
        "GridStoreEtcd", "GridTestKit", "Grid", "GridActors", "GridSystem", "GridConcurrency", "GridCore",
        "LeaseHolder", nioCore, nioPosix, nioEmbedded,
      ]),
    .target(name: "TestSupport", path: "Tests/Support/TestSupport", swiftSettings: strict),
    tests("GridFaultTests", ["gridctl", "TestSupport"]),
    tests(
      "GridCommandsTests",
      [
        "gridctl", "TestSupport", "GridCommands", "GridExample", "GridClientExample", "GridClient", "GridRequests",
        "GridSystem", "GridConcurrency", "GridActors", "Grid", "GridCore", "Yams",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Transcripts", "Support/functions.bash", "Support/link.py", "Support/peer.py"]),
  ] + (isFuzzing ? fuzzTargets : fuzzTests)
)

if isFuzzing {
  package.targets.removeAll { $0.name == pureEtcd.name }
  package.targets.append(pureEtcd)
}

// GRIDCTL_SUITES='GridLinkTests GridActorsTests' leaves all other suites out: `make tsan` builds what it runs alone.
if let suites = Context.environment["GRIDCTL_SUITES"]?.split(separator: " ").map(String.init) {
  package.targets.removeAll { $0.type == .test && !suites.contains($0.name) }
}
