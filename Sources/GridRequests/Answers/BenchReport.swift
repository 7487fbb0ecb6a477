package import GridCore

/// What a benchmark has measured; times of single messages are in microseconds.
package struct BenchReport: FieldCoded, Equatable {
  package var work = BenchWork.ask
  package var target = ""
  package var clients = 0
  package var bodyBytes = 0
  package var sent = 0
  package var delivered = 0
  package var errors = 0
  package var seconds = 0.0
  package var perSecond = 0.0
  package var half: Double?
  package var nineTenths: Double?
  package var ninetyNine: Double?
  package var nineHundredNinetyNine: Double?
  package var maximum: Double?
  /// What is measured for one kind of work alone.
  package var more: [String: JSONValue] = [:]

  package init() {}

  package mutating func code(_ fields: inout Fields) throws(GridError) {
    try fields.value("work", &work)
    try fields.value("target", &target)
    try fields.value("clients", &clients)
    try fields.value("bodyBytes", &bodyBytes)
    try fields.value("sent", &sent)
    try fields.value("delivered", &delivered)
    try fields.value("errors", &errors)
    try fields.value("seconds", &seconds)
    try fields.value("perSecond", &perSecond)
    try fields.nullable("p50Micros", &half)
    try fields.nullable("p90Micros", &nineTenths)
    try fields.nullable("p99Micros", &ninetyNine)
    try fields.nullable("p999Micros", &nineHundredNinetyNine)
    try fields.nullable("maxMicros", &maximum)
    fields.rest(&more, known: Self.known)
  }

  private static let known: Set<String> = [
    "work", "target", "clients", "bodyBytes", "sent", "delivered", "errors", "seconds", "perSecond", "p50Micros",
    "p90Micros", "p99Micros", "p999Micros", "maxMicros",
  ]

  // MARK: One kind of work

  /// Of spawning: what each actor costs.
  package mutating func setBytesPerActor(_ bytes: Double) { more["bytesPerActor"] = .number(bytes) }

  /// Of names: when all nodes knew of them, how fast they were freed, and when all had forgotten them.
  package mutating func setNames(watchedSeconds: Double, releasedPerSecond: Double, forgottenSeconds: Double) {
    more["watchedSeconds"] = .number(watchedSeconds)
    more["releasedPerSecond"] = .number(releasedPerSecond)
    more["forgottenSeconds"] = .number(forgottenSeconds)
  }
}

package enum BenchWork: String, Sendable, CaseIterable, FieldValue {
  case tell, ask, spawn, names
}
