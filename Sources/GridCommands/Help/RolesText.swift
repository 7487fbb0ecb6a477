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

    A message (tell, ask) needs the role operator. What is refused ends with 77 and says which role is needed.

    Granted: a viewer reads bodies of dead letters and traces only with a certificate or token that was made with
    --bodies; without, bodies are left out of lists, and what shows nothing else is refused.

    Here: whatever its role, who comes from another machine, or with a certificate or token, stops no node and runs no
    programs of its choice (spawn exec), unless the node was started with --allow-stop and --allow-exec. Programs that
    the node's own file of kinds names may be spawned by every operator.

    """

  /// Each request with what each role is good for.
  static var rows: [String] {
    let roles = [Role.viewer, .operator]
    var rows = [["request"] + roles.map(\.rawValue)]
    rows += RequestCatalogue.all.map { entry in [entry.verb] + roles.map { entry.permission(of: $0).rawValue } }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
      return "  " + cells.joined(separator: "  ").trimmedEnd
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
