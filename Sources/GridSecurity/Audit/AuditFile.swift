internal import Glibc
internal import GridCore
internal import GridSystem

/// One file of an audit log that is open. Whoever has it may read it also after its name has gone.
package final class AuditFile: Sendable {
  package let name: String
  let descriptor: Int32
  /// What tells it from others under the same path.
  let identity: FileIdentity

  struct FileIdentity: Equatable, Sendable {
    var device: UInt
    var inode: UInt

    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
    }
  }

  private init(name: String, descriptor: Int32, identity: FileIdentity) {
    self.name = name
    self.descriptor = descriptor
    self.identity = identity
  }

  deinit { close(descriptor) }

  /// - Parameter flags: how it is opened; a link is never followed, and nobody waits for a pipe.
  /// - Returns: nil, with `errno`, when it cannot be opened or is no file.
  static func open(_ path: String, name: String, _ flags: Int32) -> AuditFile? {
    let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      errno = EINVAL
      return nil
    }
    return AuditFile(name: name, descriptor: descriptor, identity: FileIdentity(status))
  }

  /// What is at the path now; nil when there is nothing.
  static func identity(at path: String) -> FileIdentity? {
    var status = stat()
    return lstat(path, &status) == 0 ? FileIdentity(status) : nil
  }

  var size: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// The bytes from an offset, at most so many; none at the end.
  func read(at offset: Int, _ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, initialized in
      initialized = 0
      while initialized < buffer.count {
        let read = pread(
          descriptor, buffer.baseAddress.map { $0 + initialized }, buffer.count - initialized,
          off_t(offset + initialized))
        if read < 0, errno == EINTR { continue }
        guard read > 0 else { return }
        initialized += read
      }
    }
  }
}

/// The files of the audit logs in one directory: `NODE.jsonl`, which grows, and those before, `NODE.000001.jsonl`, ….
struct AuditFolder: Sendable {
  private static let suffix = ".jsonl"
  /// Older ones are deleted.
  static let keptFiles = 8

  let directory: String

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  static func name(of node: String) -> String { node + suffix }

  static func name(of node: String, _ number: Int) -> String {
    let digits = String(number)
    return "\(node).\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits)\(suffix)"
  }

  /// The nodes that have a log here, sorted.
  var nodes: [String] { Set(entries.map(\.node)).sorted() }

  /// The numbers of the files before the one that grows, the oldest first.
  func numbers(of node: String) -> [Int] { entries.filter { $0.node == node }.compactMap(\.number).sorted() }

  private var entries: [(node: String, number: Int?)] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var found: [(node: String, number: Int?)] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      // Names of nodes have no dots.
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      switch parts.count {
      case 2 where parts[1] == "jsonl" && NameRules.isValid(String(parts[0])): found.append((String(parts[0]), nil))
      case 3 where parts[2] == "jsonl" && NameRules.isValid(String(parts[0])):
        guard let number = Int(parts[1]), number > 0 else { continue }
        found.append((String(parts[0]), number))
      default: continue
      }
    }
    return found
  }
}

/// The files of one log as they were at one moment, the oldest first, each with how much of it counts.
package struct AuditSnapshot: Sendable {
  package var node: String
  package var files: [(file: AuditFile, size: Int)] = []
  /// Whether nothing is older than the first of them.
  package var isBeginning = true
  /// The hash of the last record, where somebody knows it.
  package var last: String?

  /// - Parameter size: of the file that grows, how much; nil for all.
  init(node: String, in folder: AuditFolder, growing: AuditFile? = nil, size: Int? = nil, last: String? = nil) {
    self.node = node
    self.last = last
    let numbers = folder.numbers(of: node)
    isBeginning = (numbers.first ?? 1) == 1 || numbers.count < AuditFolder.keptFiles
    let names = numbers.map { AuditFolder.name(of: node, $0) } + [AuditFolder.name(of: node)]
    for name in names {
      guard let file = AuditFile.open(folder.path(name), name: name, O_RDONLY) else { continue }
      // Records that come meanwhile are left for the next time.
      let limit = growing?.identity == file.identity ? size ?? .max : .max
      files.append((file, min(limit, file.size)))
    }
  }
}
