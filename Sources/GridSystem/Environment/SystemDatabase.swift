internal import Glibc

/// The users and groups of `/etc/passwd` and `/etc/group`, and nobody else's.
///
/// The system's own look-ups (`getpwnam` and its kind) load modules for what is not in these files, and some of these
/// end a process whose runtime is linked into it. Users of a directory in the network are known by their numbers.
enum SystemDatabase {
  struct User {
    var name: String
    var number: UInt32
    var group: UInt32
    var home: String
  }

  struct Group {
    var name: String
    var number: UInt32
    var members: [String]
  }

  private static let longestLine = 256 * 1024

  static func user(where isWanted: (User) -> Bool) -> User? {
    entries(of: "/etc/passwd") { file, buffer in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard fgetpwent_r(file, &entry, buffer, longestLine, &found) == 0, found != nil else { return nil }
      return User(name: text(entry.pw_name), number: entry.pw_uid, group: entry.pw_gid, home: text(entry.pw_dir))
    } first: {
      isWanted($0)
    }
  }

  static func group(where isWanted: (Group) -> Bool) -> Group? {
    entries(of: "/etc/group", nextGroup) { isWanted($0) }
  }

  /// The numbers of all groups that have that user for a member.
  static func groups(of user: String) -> [UInt32] {
    var numbers: [UInt32] = []
    _ = entries(of: "/etc/group", nextGroup) { group in
      if group.members.contains(user) { numbers.append(group.number) }
      return false
    }
    return numbers
  }

  private static func nextGroup(
    _ file: UnsafeMutablePointer<FILE>, _ buffer: UnsafeMutablePointer<CChar>
  ) -> Group? {
    var entry = Glibc.group()
    var found: UnsafeMutablePointer<Glibc.group>?
    guard fgetgrent_r(file, &entry, buffer, longestLine, &found) == 0, found != nil else { return nil }
    var members: [String] = []
    var next = entry.gr_mem
    while let member = next?.pointee {
      members.append(String(cString: member))
      next = next?.successor()
    }
    return Group(name: text(entry.gr_name), number: entry.gr_gid, members: members)
  }

  /// The first entry that is wanted; nil when there is none, or no such file.
  private static func entries<Entry>(
    of path: String, _ next: (UnsafeMutablePointer<FILE>, UnsafeMutablePointer<CChar>) -> Entry?,
    first isWanted: (Entry) -> Bool
  ) -> Entry? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: longestLine)
    return line.withUnsafeMutableBufferPointer { buffer in
      guard let room = buffer.baseAddress else { return nil }
      while let entry = next(file, room) {
        if isWanted(entry) { return entry }
      }
      return nil
    }
  }

  private static func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
  }
}
