internal import Glibc
package import GridCore
internal import GridSystem

/// Files that are read on somebody's behalf, whatever they turn out to be: never more than a limit of them, and never
/// waited for where nobody means to wait.
package enum UserFile {
  /// What a file is read as.
  package struct Purpose: Sendable {
    /// How errors name the limit: `a message carries at most`.
    package var bound: String
    /// The most of it, in bytes.
    package var limit: Int
    /// The code of the error when it is larger.
    package var excess = GridError.Code.configuration
    /// Whether a pipe, a terminal or a device will do, as for what a person names on the command line. A device without
    /// an end is read up to the limit.
    package var takesPipes = false
    /// How long such a one may take; nil waits as `cat` does.
    package var patience: Duration?
    /// What to try when it cannot be read, or is too large.
    package var hint: String?

    /// `config.toml` and contexts.
    static let configuration = Purpose(bound: "a configuration file has at most", limit: 64 * 1024)
    /// A file of one name, or of the names of the last look.
    static func record(limit: Int) -> Purpose { Purpose(bound: "a file of this kind has at most", limit: limit) }
    static let kinds = Purpose(
      bound: "a kinds file has at most", limit: 1 << 20, takesPipes: true, patience: .seconds(10))
    static let secret = Purpose(
      bound: "a secret has at most", limit: 64 * 1024, takesPipes: true, patience: .seconds(10))
    /// A script of the session's language.
    package static let script = Purpose(
      bound: "a script has at most", limit: 16 << 20, excess: .noInput, takesPipes: true)
    /// A file that a session reads without being told to.
    package static let startFile = Purpose(bound: "a start file has at most", limit: 1 << 20)
  }

  /// The bytes of a file.
  ///
  /// - Throws: ``GridError/Code/noInput`` when it cannot be read or is of a sort that will not do, the purpose's
  ///   ``Purpose/excess`` when it is too large, ``GridError/Code/deadline`` when its patience is over.
  package static func read(_ path: String, as purpose: Purpose) throws(GridError) -> [UInt8] {
    // A FIFO that nobody writes to would hold up the opening; a terminal must not become ours.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      let fault = errno
      throw unreadable(path, sort(of: path) ?? String(cString: strerror(fault)), purpose, fault)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw unreadable(path, String(cString: strerror(errno)), purpose, errno)
    }
    if let sort = sort(of: status), sort == directory || !purpose.takesPipes {
      throw unreadable(path, sort, purpose, 0)
    }
    let isRegular = status.st_mode & S_IFMT == S_IFREG
    if isRegular, status.st_size > purpose.limit {
      throw tooLarge(quoted(path), Int(status.st_size), purpose)
    }
    return try readAll(
      descriptor, quoted(path), as: purpose, waitsFor: isRegular ? nil : PatientReading(path, purpose))
  }

  /// Reads to the end. What says no size before it is read has its size told as “more than”.
  ///
  /// - Parameter place: what is read, as errors name it.
  static func readAll(
    _ descriptor: Int32, _ place: String, as purpose: Purpose, waitsFor reading: PatientReading? = nil
  ) throws(GridError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      // Of a FIFO that was opened without waiting, nobody's having written yet would look like its end.
      try reading?.untilReadable(descriptor)
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += chunk[..<count]
        guard bytes.count <= purpose.limit else { throw tooLarge(place, nil, purpose) }
      } else if errno == EAGAIN {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&ready, 1, -1)
      } else if errno != EINTR {
        throw GridError(.noInput, "cannot read \(place): \(String(cString: strerror(errno)))", hint: purpose.hint)
      }
    }
  }

  /// The path as errors show it: whole, since it is what has to be mended.
  static func quoted(_ path: String) -> String { "\"\(TerminalText.printable(path))\"" }

  static func tooLarge(_ place: String, _ size: Int?, _ purpose: Purpose) -> GridError {
    let limit = purpose.limit
    return GridError(
      purpose.excess,
      "\(place) has \(size.map { "\($0)" } ?? "more than \(limit)") bytes; \(purpose.bound) \(limit)",
      hint: purpose.hint)
  }

  // MARK: What it is

  private static let directory = "it is a directory"

  /// Why it is no plain file, or nil when it is one. `/dev/null` is as good as an empty one.
  private static func sort(of status: stat) -> String? {
    switch status.st_mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: directory
    case S_IFIFO: "it is a pipe, not a file"
    case S_IFSOCK: "it is a socket, not a file"
    case S_IFCHR where isNull(status): nil
    default: "it is a device, not a file"
    }
  }

  private static func sort(of path: String) -> String? {
    var status = stat()
    // What cannot be opened though it is there: only of a socket is that a fact of its sort.
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK ? sort(of: status) : nil
  }

  private static func isNull(_ status: stat) -> Bool {
    var null = stat()
    return stat("/dev/null", &null) == 0 && status.st_rdev == null.st_rdev
  }

  /// Whether a file can be used by a library that reads it by itself: it is not there yet, or a plain one.
  ///
  /// - Throws: ``GridError/Code/noInput`` when it is something else or larger than `limit`.
  package static func checkPlain(_ path: String, limit: Int, noun: String) throws(GridError) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    let purpose = Purpose(bound: "\(noun) has at most", limit: limit, excess: .noInput)
    if let sort = sort(of: status) { throw unreadable(path, sort, purpose, 0) }
    if status.st_size > limit { throw tooLarge(quoted(path), Int(status.st_size), purpose) }
  }

  /// Whether the path is the device that swallows everything.
  package static func isNull(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR && isNull(status)
  }

  private static func unreadable(_ path: String, _ reason: String, _ purpose: Purpose, _ fault: Int32) -> GridError {
    GridError(
      .noInput, "cannot read \(quoted(path)): \(reason)", hint: FileHint.text(path, fault) ?? purpose.hint)
  }
}

/// Waiting for what is no plain file: for as long as its purpose says, and not without a word.
struct PatientReading {
  private let path: String
  private let limit: MonotonicTime?
  private let patience: Duration?
  private let clock = SystemClock()

  /// After so long a person at a terminal is told what is waited for.
  private static let wordless: Int32 = 1000

  init(_ path: String, _ purpose: UserFile.Purpose) {
    self.path = path
    patience = purpose.patience
    let now = clock.now()
    limit = purpose.patience.map { now + $0 }
  }

  /// Returns when there is something to read, or the end.
  ///
  /// - Throws: ``GridError/Code/deadline``.
  func untilReadable(_ descriptor: Int32) throws(GridError) {
    var hasSpoken = false
    while true {
      var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let left = limit.map { max(.zero, $0 - clock.now()).wholeNanoseconds / 1_000_000 }
      // Nothing is left to wait for, and nothing is there: one look more.
      let wait = min(Int32(clamping: left ?? Int64(Self.wordless)), Self.wordless)
      if poll(&ready, 1, wait) != 0 { return }
      if let left, left <= 0 {
        throw GridError(
          .deadline,
          "\(UserFile.quoted(path)) did not come to its end within \(patience.map { HumanText.duration($0) } ?? "")",
          hint: "it is no plain file: something has to write to it and close it")
      }
      if !hasSpoken, isatty(2) == 1 {
        hasSpoken = true
        OutputWriter.shared.error("waits for \(TerminalText.printable(path)) to be written; Ctrl-C ends it")
      }
    }
  }
}

/// What to try when a file cannot be had.
package enum FileHint {
  /// Entries of a directory that are looked at.
  private static let entries = 2000

  /// Nil when there is nothing to say that the reason does not say.
  ///
  /// - Parameter fault: the number of the error.
  package static func text(_ path: String, _ fault: Int32) -> String? {
    switch fault {
    case ENOENT, ENOTDIR: missing(path)
    case EACCES, EPERM: "see who may: ls -ld \(ShellQuoting.escaped(path) ?? "PATH")"
    default: nil
    }
  }

  /// The nearest directory that is there, or the names like it.
  private static func missing(_ path: String) -> String? {
    guard !path.isEmpty else { return nil }
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { String(path[...$0]) } ?? "."
    var status = stat()
    guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return "there is no directory \(TerminalText.printable(directory))"
    }
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let similar = NameSimilarity.similar(to: name, in: names(in: directory), limit: 3)
    guard !similar.isEmpty else { return nil }
    return
      "similar: \(similar.map { TerminalText.printable((slash == nil ? "" : directory) + $0) }.joined(separator: ", "))"
  }

  private static func names(in directory: String) -> [String] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while names.count < entries, let entry = readdir(handle) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
