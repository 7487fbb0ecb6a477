internal import GridCore
internal import Testing

@testable internal import GridCommands

@Suite struct ContextTests {
  private func context(_ text: String) throws -> ContextDefinition {
    try ContextDefinition(name: "prod", table: ConfigurationTable(path: "prod.toml", text: text))
  }

  @Test func `a context is read and written`() throws {
    let text = """
      endpoints = ["10.0.0.1:4743", "[::1]:4744"]
      namespace = "shop"
      secret-file = "/etc/shop/secret"
      description = "the \\"real\\" one, ü\\n"
      protected = true
      color = "red"
      timeout = "3s"
      output = "wide"
      token = "file:/run/secrets/grid"

      [tls]
      ca = "/ca.pem"
      cert = "/n1.pem"
      key = "/n1.key"

      """
    let context = try context(text)
    #expect(context.text == text)
    #expect(context.isProtected && context.settings.endpoints == "10.0.0.1:4743,[::1]:4744")
    #expect(context.settings.tlsAuthority == "/ca.pem" && context.settings.tlsKey == "/n1.key")
    #expect(try self.context(context.text) == context)
    #expect(try self.context("") == ContextDefinition(name: "prod"))
    #expect(try self.context("endpoints = 'a:1'").settings.endpoints == "a:1")
  }

  @Test(arguments: [
    ("endpoint = \"a:1\"", "unknown key \"endpoint\""), ("protected = \"yes\"", "protected must be true or false"),
    ("endpoints = [1]", "endpoints must be a list"), ("endpoints = [\"nowhere\"]", "\"nowhere\" is no endpoint"),
    ("timeout = 3", "timeout must be a text"), ("timeout = \"soon\"", "\"soon\" is no duration"),
    ("color = \"pink\"", "unknown color"), ("output = \"xml\"", "unknown output format"),
    ("namespace = \"a b\"", "has a space"), ("secret-file = \"secret\"", "secret-file must be an absolute path"),
    ("tls = 1", "tls must be a table"), ("[tls]\ncertificate = \"x\"", "unknown key \"tls.certificate\""),
    ("[tls]\nca = \"ca.pem\"", "tls.ca must be an absolute path"),
    ("[tls]\nkey = \"/k\"", "certificate of an authority"),
    ("[tls]\nca = \"/ca\"\nkey = \"/k\"", "a key needs its certificate"),
    ("token = \"hunter2\"", "a secret must be a reference"), ("token = \"file:t\"", "an absolute path"),
    ("a = [", "line 1"), ("a = 1\na = 2", "line 2"),
    ("\u{0}", "prod.toml"),
  ])
  func `what is wrong in a context's file is told with its path`(_ text: String, _ expected: String) throws {
    let error = try #require(throws: GridError.self) { try context(text) }
    #expect(error.code == .configuration)
    #expect(error.message.contains(expected), "\(error.message)")
    #expect(!error.description.contains("hunter2"))
  }

  @Test func `options, variables, the context, the configuration and the defaults, in this order`() throws {
    let context = try context("namespace = 'shop'\ntimeout = '3s'\nendpoints = ['a:1']\noutput = 'wide'")
    let configuration = SettingsFile(endpoints: "z:9", namespace: "zoo", output: "yaml", timeout: "9s", color: "never")
    let settings = try Settings.resolve(
      flags: SettingFlags(output: "json"), environment: ["GRIDCTL_TIMEOUT": "1s"], context: context,
      configuration: configuration)
    #expect(settings.format == .json && settings.sources.output == .flag("--output"))
    #expect(settings.timeout == .seconds(1) && settings.sources.timeout == .environment("GRIDCTL_TIMEOUT"))
    #expect(settings.namespace == "shop" && settings.sources.namespace == .context("prod"))
    #expect(settings.endpoints == ["a:1"] && settings.color == .never && settings.sources.color == .configuration)
    #expect(
      try Settings.resolve(flags: SettingFlags(), environment: [:], configuration: configuration).namespace == "zoo")
    let wrong = SettingsFile(timeout: "soon")
    let error = try #require(throws: GridError.self) {
      try Settings.resolve(flags: SettingFlags(), environment: [:], configuration: wrong)
    }
    #expect(error.code == .configuration && error.message.hasPrefix("config.toml: \"soon\""))
  }

  @Test func `the context in force`() async throws {
    try await withSandbox { sandbox in
      let environment = ["HOME": sandbox.directory]
      let store = ContextStore(environment: environment)
      func inForce(_ flag: String?, _ more: [String: String] = [:], _ file: String? = nil) throws -> (
        String, SettingSource
      )? {
        let found = try store.inForce(
          flag: flag, environment: environment.merging(more) { $1 }, configuration: SettingsFile(context: file))
        return found.map { ($0.0.name, $0.1) }
      }
      #expect(try inForce(nil) == nil && store.names() == [])
      for name in ["a", "b", "c"] { try store.write(ContextDefinition(name: name)) }
      #expect(store.names() == ["a", "b", "c"])
      #expect(try inForce(nil, [:], "c")! == ("c", .configuration))
      #expect(try store.use("a") == "a" && store.use("b") == "b" && store.use("-") == "a" && store.use("-") == "b")
      #expect(try inForce(nil, [:], "c")! == ("b", .selection))
      #expect(try inForce(nil, ["GRIDCTL_CONTEXT": "a"])! == ("a", .environment("GRIDCTL_CONTEXT")))
      #expect(try inForce("c", ["GRIDCTL_CONTEXT": "a"])! == ("c", .flag("--context")))
      #expect(try inForce("", ["GRIDCTL_CONTEXT": "a"]) == nil)
      #expect(try inForce(nil, ["GRIDCTL_CONTEXT": ""])! == ("b", .selection))
      #expect(throws: GridError(.notFound, "")) { try inForce("d") }
      #expect(throws: GridError(.usage, "")) { try inForce("../a") }
      try store.remove("b")
      #expect(try inForce(nil) == nil)
      #expect(throws: GridError(.notFound, "")) { try store.remove("b") }
    }
  }

  @Test func `secrets come from files, variables and commands, and never show`() async throws {
    try await withSandbox { sandbox in
      let environment = ["SECRET": "from a variable", "PATH": "/usr/bin:/bin", "EMPTY": ""]
      _ = try await sandbox.run("printf 'from a file\\n' >secret; printf 'x' >plain")
      func secret(_ text: String) async throws -> String {
        try await SecretReference(parsing: text).resolve(environment: environment)
      }
      #expect(try await secret("file:\(sandbox.directory)/secret") == "from a file")
      #expect(try await secret("env:SECRET") == "from a variable")
      #expect(try await secret("cmd:printf 'a b\\nc\\n'") == "a b\nc")
      for text in ["file:/nowhere", "env:NOTHING", "env:EMPTY", "cmd:exit 3", "cmd:true", "cmd:yes"] {
        await #expect(throws: GridError(.configuration, ""), "\(text)") { try await secret(text) }
      }
      for text in ["", "hunter2", "file:", "http://x", ":x"] {
        #expect(throws: GridError(.configuration, ""), "\(text)") { try SecretReference(parsing: text) }
      }
    }
  }

  @Test func `a protected context wants its name`() async throws {
    var settings = try Settings.resolve(flags: SettingFlags(), environment: [:])
    func require(_ change: (inout Settings) -> Void = { _ in }, asksAnyway: Bool = false) async throws {
      var changed = settings
      change(&changed)
      try await Confirmation(settings: changed, canAsk: false).require("stop n1", asksAnyway: asksAnyway)
    }
    try await require(asksAnyway: true)
    settings.context = ContextDefinition(name: "prod")
    try await require(asksAnyway: true)
    settings.context?.isProtected = true
    await #expect(throws: GridError(.refused, "")) { try await require() }
    await #expect(throws: GridError(.refused, "")) { try await require { $0.agrees = true } }
    await #expect(throws: GridError(.refused, "")) { try await require { $0.confirmed = "test" } }
    try await require { $0.confirmed = "prod" }
  }
}

extension ContextDefinition {
  fileprivate func named(_ name: String) -> ContextDefinition {
    var context = self
    context.name = name
    return context
  }
}
