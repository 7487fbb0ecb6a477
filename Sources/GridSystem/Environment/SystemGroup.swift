internal import Glibc
package import GridCore

/// A group of the system's users, by name or number.
package enum SystemGroup {
  /// - Throws: ``GridError/Code/configuration`` when there is none of that name, and for root's own, whose number
  ///   stands for nothing in lists of groups.
  package static func number(_ text: String) throws(GridError) -> UInt32 {
    guard let number = UInt32(text) ?? lookUp(text), number != .max else {
      throw GridError(
        .configuration, "there is no group \(NameRules.quoted(text))", hint: "see: getent group; make one with groupadd"
      )
    }
    guard number != 0 else {
      throw GridError(
        .configuration, "root's group cannot be let in", hint: "root itself always is; name another group")
    }
    return number
  }

  private static func lookUp(_ name: String) -> UInt32? { SystemDatabase.group { $0.name == name }?.number }

  static func failure(_ path: String, _ group: UInt32, _ number: Int32) -> GridError {
    GridError(
      number == EPERM || number == EACCES ? .refused : .inputOutput,
      "cannot give \(path) to group \(group): \(String(cString: strerror(number)))",
      hint: number == EPERM ? "the node's user must be a member of the group of --admin-group" : nil)
  }
}
