import GridSystem
import Testing

/// Users as the files of the system have them.
@Suite struct UserTests {
  @Test func `a user is known by its name, or by its number where the files have none`() async throws {
    #expect(UserNames.name(of: 0) == "root")
    #expect(UserNames.name(of: 3_999_999_999) == "3999999999")
    let root = try await SystemAccount.named("root")
    #expect(root.user == 0 && root.group == 0 && root.groups.first == 0 && root.home.hasPrefix("/"))
    await #expect(throws: (any Error).self) { try await SystemAccount.named("nobody-has-this-name") }
  }
}
