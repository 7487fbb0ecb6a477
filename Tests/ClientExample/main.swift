import GridClient

// A program that is no node: it asks the actor `hits` of the cluster at the endpoint that it is given.
let arguments = CommandLine.arguments
let cluster = try await ClusterClient.connect(
  to: [arguments[1]], secretFile: arguments.count > 2 ? arguments[2] : nil)
try await cluster.spawn(SpawnRequest(kind: "counter", name: "hits", ifAbsent: true))
try await cluster.tell("hits", Message("2"))
let total = try await cluster.ask("hits", Message("3")).json()
print("\(total.integerValue ?? 0) hits, says node \(cluster.node)")
cluster.close()
