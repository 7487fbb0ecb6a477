import Grid

/// Counts orders by customer.
struct OrderDesk: GridActor {
  struct Order: Codable {
    var customer: String
    var pieces: Int
  }

  var pieces: [String: Int] = [:]

  mutating func receive(_ message: Message, _ context: ActorContext) async throws {
    let order = try message.decode(Order.self)
    pieces[order.customer, default: 0] += order.pieces
    try context.reply(pieces[order.customer, default: 0])
  }
}

let node = GridNode(NodeConfiguration(namespace: "shop")) { kinds in
  kinds.register("order-desk") { _ in OrderDesk() }
}

try await withThrowingTaskGroup(of: Void.self) { group in
  group.addTask { try await node.run() }

  try await node.spawn("order-desk", "desk")
  try await node.tell("desk", Message(encoding: OrderDesk.Order(customer: "ada", pieces: 2)))
  let reply = try await node.ask("desk", Message(encoding: OrderDesk.Order(customer: "ada", pieces: 3)))
  print("ada has ordered \(try reply.decode(Int.self)) pieces")

  node.beginGracefulShutdown()
  try await group.waitForAll()
}
