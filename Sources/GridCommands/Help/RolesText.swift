internal import GridRequests

/// What each role may do, from what the requests themselves declare.
enum RolesText {
  static let introduction = """
    Whoever is connected has a role. A viewer looks, an operator changes as well, a node is one of the cluster.

      the node's own user and root on its Unix socket    operator
      who proves the secret of the namespace             operator
      a certificate                                      what it says: viewer, operator or node
      a token                                            what it was made for: viewer or operator
      a token of role node                               none: it is told the secret (node join), and nothing else

    """

  static let limits = """

    A message (tell, ask) needs the role operator.
    A viewer reads bodies of dead letters and traces only with a certificate or token that was made with --bodies;
    without, bodies are left out of lists, and what shows nothing else is refused.
    Whatever its role, who comes from another machine, or with a certificate or token, runs no programs of its choice
    (spawn exec) and stops no node, unless the node was started with --allow-exec and --allow-stop. Programs that the
    node's own file of kinds names may be spawned by every operator.
    What is refused ends with 77 and says which role is needed.

    """

  /// Each request with yes and no for each role.
  static var rows: [String] {
    let width = (RequestCatalogue.all.map(\.verb.count).max() ?? 0) + 2
    func row(_ cells: [String], verb: String) -> String {
      "  " + verb + String(repeating: " ", count: width - verb.count) + cells.joined(separator: "  ")
    }
    let roles = [Role.viewer, .operator]
    return [row(roles.map(\.rawValue), verb: "request")]
      + RequestCatalogue.all.map { entry in
        row(
          roles.map { role in
            let cell = role >= entry.role ? "yes" : "no"
            return cell + String(repeating: " ", count: role.rawValue.count - cell.count)
          }, verb: entry.verb
        ).trimmedEnd
      }
  }

  static var text: String { "ROLES\n\n" + introduction + rows.joined(separator: "\n") + "\n" + limits }
}

extension String {
  /// Without the spaces at its end.
  fileprivate var trimmedEnd: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
