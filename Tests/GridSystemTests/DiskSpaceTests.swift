import GridSystem
import Testing

@Suite struct DiskSpaceTests {
  @Test func `a file system says what is left, and none says nothing`() throws {
    let space = try #require(DiskSpace(of: "/tmp"))
    #expect(space.totalBytes > 0 && (0...space.totalBytes).contains(space.freeBytes))
    #expect(DiskSpace(of: "/tmp/there-is-no-such-directory") == nil)
  }
}
