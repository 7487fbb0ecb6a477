internal import Glibc

/// What this process has of the machine's memory.
package enum ResidentMemory {
  /// From `/proc/self/statm`; 0 where there is none.
  package static func bytes() -> Int64 {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return 0 }
    let fields = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int64(fields[1]) else { return 0 }
    return pages &* Int64(sysconf(Int32(_SC_PAGESIZE)))
  }
}
