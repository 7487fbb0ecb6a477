internal import Foundation
internal import Glibc
internal import GridCore

/// Tells the processes that share a store of each change: a file beside the store that whoever writes touches, and an
/// ear (`inotify`) for it, for the folder of the leases and for everything on the way to the file. Used by one thread
/// only.
///
/// The log of the database would not do: it is written to before what was written can be read.
final class StoreBell {
  private enum Role {
    case bell, file, folder, leases, way
  }

  private let path: String
  private let descriptor: Int32
  private var roles: [Int32: Role] = [:]
  /// Whether everything that needs to be heard of is.
  private(set) var isHearing = false

  /// - Parameter path: of the store's file.
  init(path: String) {
    self.path = path
    descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Readable when there is news; negative when the system has no ear to spare.
  var readiness: Int32 { descriptor }

  private static func bell(of path: String) -> String { path + ".bell" }

  /// Tells the others that something changed.
  static func ring(_ path: String) {
    let bell = bell(of: path)
    // By its path, so that it is the one that the others listen to, whatever became of an earlier one.
    if utimensat(AT_FDCWD, bell, nil, 0) == 0 { return }
    make(bell)
    _ = utimensat(AT_FDCWD, bell, nil, 0)
  }

  private static func make(_ bell: String) {
    let descriptor = open(bell, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor >= 0 { close(descriptor) }
  }

  // MARK: Listening

  private static let changesOfFolder =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF

  /// Listens to what is at the path now.
  func listen() {
    guard descriptor >= 0 else { return }
    let bell = Self.bell(of: path)
    let folder = (path as NSString).deletingLastPathComponent
    let leases = StoreFile.leases(of: path)
    if access(bell, F_OK) != 0, access(path, F_OK) == 0 { Self.make(bell) }
    var fresh: [Int32: Role] = [:]
    // Whoever may not read a folder above may not hear of it: the clock finds what happens there.
    for step in Self.way(to: folder) { add(step, IN_MOVE_SELF | IN_DELETE_SELF, .way, to: &fresh) }
    let isComplete = [
      add(folder, Self.changesOfFolder, .folder, to: &fresh),
      add(leases, IN_CREATE | IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF, .leases, to: &fresh),
      add(bell, IN_ATTRIB, .bell, to: &fresh), add(path, IN_MODIFY | IN_ATTRIB, .file, to: &fresh),
    ]
    for former in roles.keys where fresh[former] == nil { _ = inotify_rm_watch(descriptor, former) }
    roles = fresh
    isHearing = isComplete.allSatisfy { $0 }
  }

  @discardableResult
  private func add(_ path: String, _ mask: Int32, _ role: Role, to roles: inout [Int32: Role]) -> Bool {
    var mask = UInt32(bitPattern: mask) | UInt32(bitPattern: IN_MASK_ADD)
    // A link on the way may be made to lead elsewhere.
    if role == .way { mask |= UInt32(bitPattern: IN_DONT_FOLLOW) }
    let watch = inotify_add_watch(descriptor, path, mask)
    guard watch >= 0 else { return false }
    roles[watch] = role
    return true
  }

  /// The folder and those above it, by the names in the path and by those that links lead to.
  private static func way(to folder: String) -> [String] {
    var steps: [String] = []
    for start in Set([folder, (folder as NSString).resolvingSymlinksInPath]) {
      var step = start
      while step.utf8.count > 1 {
        steps.append(step)
        step = (step as NSString).deletingLastPathComponent
      }
    }
    return steps
  }

  // MARK: Hearing

  /// What was heard since the last time.
  func takeNews() -> StoreNews {
    var news: StoreNews = []
    guard descriptor >= 0 else { return news }
    withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 8) { buffer in
      while true {
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        collect(UnsafeRawBufferPointer(rebasing: buffer[..<count]), &news)
        if count < buffer.count / 2 { return }
      }
    }
    // What stands at the paths is to be listened to now, and whatever happened before that is to be looked for.
    if news.contains(.moved) {
      listen()
      news.insert(.changed)
    }
    return news
  }

  private func collect(_ bytes: UnsafeRawBufferPointer, _ news: inout StoreNews) {
    let header = MemoryLayout<inotify_event>.size
    var offset = 0
    while offset + header <= bytes.count {
      let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
      let end = offset + header + Int(event.len)
      guard end <= bytes.count else { return }
      news.formUnion(meaning(event, name: bytes[(offset + header)..<end].prefix { $0 != 0 }))
      offset = end
    }
  }

  private func meaning(_ event: inotify_event, name: Slice<UnsafeRawBufferPointer>) -> StoreNews {
    if event.mask & UInt32(bitPattern: IN_Q_OVERFLOW) != 0 {
      return [.changed, .moved, .leaseMade, .leaseClosed, .overwritten]
    }
    func has(_ mask: Int32) -> Bool { event.mask & UInt32(bitPattern: mask) != 0 }
    switch roles[event.wd] {
    case .bell: return has(IN_ATTRIB) ? .changed : []
    case .file: return has(IN_MODIFY | IN_ATTRIB) ? .overwritten : []
    case .way: return .moved
    case .folder:
      // Other files lie there, too.
      return name.isEmpty || name.starts(with: (path as NSString).lastPathComponent.utf8) ? .moved : []
    case .leases:
      if has(IN_CREATE) { return .leaseMade }
      return has(IN_CLOSE_WRITE) ? .leaseClosed : .moved
    case nil: return []
    }
  }
}
