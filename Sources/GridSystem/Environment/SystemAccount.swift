internal import Glibc
internal import GridConcurrency
package import GridCore

/// A user of the system, with what a program needs to run as it.
package struct SystemAccount: Sendable, Equatable {
  package var name: String
  package var user: UInt32
  package var group: UInt32
  /// All of its groups.
  package var groups: [UInt32]
  package var home: String

  /// Looks a user up, on a thread of its own: a disk may take its time.
  ///
  /// - Throws: ``GridError/Code/usage`` when there is none of that name, ``GridError/Code/retryLater`` when nobody can
  ///   tell now.
  package static func named(_ name: String) async throws(GridError) -> SystemAccount {
    let found = await withPromise { (promise: Promise<Result<SystemAccount, GridError>>) in
      let failure = startThread(named: "accounts") {
        promise.fulfil(Result { () throws(GridError) in try lookUp(name) })
      }
      if failure != 0 { promise.fulfil(.failure(unknown(name, failure))) }
    }
    return try found.get()
  }

  /// The account as the one a program is to have: nil when that is this process's own anyway.
  ///
  /// - Throws: ``GridError/Code/refused`` when this process may not run programs as somebody else.
  package func assumed() throws(GridError) -> SystemAccount? {
    let own = geteuid()
    guard own != user else { return nil }
    guard own == 0 else {
      throw GridError(
        .refused, "the node cannot run a program as \(NameRules.quoted(name)): it runs as \(UserNames.name(of: own))",
        hint: "only a node that root has started may change the user; leave --user out, or start the node as root")
    }
    return self
  }

  private static func lookUp(_ name: String) throws(GridError) -> SystemAccount {
    guard let user = SystemDatabase.user(where: { $0.name == name }) else {
      throw GridError(
        .usage, "the node's machine has no user \(NameRules.quoted(name))", hint: "its users: cut -d: -f1 /etc/passwd")
    }
    let others = SystemDatabase.groups(of: name).filter { $0 != user.group }
    return SystemAccount(
      name: name, user: user.number, group: user.group, groups: [user.group] + others,
      home: user.home.isEmpty ? "/" : user.home)
  }

  private static func unknown(_ name: String, _ failure: Int32) -> GridError {
    GridError(.retryLater, "cannot look up the user \(NameRules.quoted(name)): \(systemErrorText(failure))")
  }
}

extension ProgramEnvironment {
  /// Of somebody else's program: without what leads to the directories of this process's user.
  package func belonging(to account: SystemAccount) -> ProgramEnvironment {
    filter { $0 != "TMPDIR" && !$0.hasPrefix("XDG_") }
      .merging(["HOME": account.home, "USER": account.name, "LOGNAME": account.name])
  }
}
