import Foundation
import Glibc
import GridCore
import GridSystem
import Testing

/// Directories that nobody else may write to.
@Suite struct PrivateDirectoryTests {
  private func withDirectory(_ body: (String) throws -> Void) throws {
    let path = "/tmp/gridctl-test-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test func `one that is not there is made for its owner alone`() throws {
    try withDirectory { directory in
      let path = directory + "/a/b"
      try PrivateDirectory.makeOwned(path, for: .state)
      var status = stat()
      #expect(lstat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o700)
      // Once more is as good as once.
      try PrivateDirectory.makeOwned(path, for: .state)
    }
  }

  @Test(arguments: [0o770, 0o707, 0o722] as [mode_t])
  func `one that others may write to is refused, and what to do is said`(mode: mode_t) throws {
    try withDirectory { directory in
      let path = directory + "/open"
      #expect(mkdir(path, 0o700) == 0 && chmod(path, mode) == 0)
      let error = #expect(throws: GridError.self) { try PrivateDirectory.makeOwned(path, for: .sockets) }
      #expect(error?.code == .refused)
      #expect(error?.hint?.contains("chmod go-w \(path)") == true)
    }
  }

  @Test func `a link is no place for sockets`() throws {
    try withDirectory { directory in
      let path = directory + "/link"
      #expect(symlink(directory, path) == 0)
      let error = #expect(throws: GridError.self) { try PrivateDirectory.makeOwned(path, for: .sockets) }
      #expect(error?.message.contains("it is a symbolic link") == true)
    }
  }

  @Test func `one that is not there does not exist, and looking makes none`() throws {
    try withDirectory { directory in
      let exists: Bool = try PrivateDirectory.existsOwned(directory + "/none")
      #expect(!exists)
      #expect(!FileManager.default.fileExists(atPath: directory + "/none"))
    }
  }
}

@Suite struct ClockTests {
  @Test func `the clock never steps back, and a process has memory`() {
    let clock = SystemClock()
    let times = (0..<1000).map { _ in clock.now() }
    #expect(times == times.sorted())
    #expect(ResidentMemory.bytes() > 1 << 20)
  }
}
