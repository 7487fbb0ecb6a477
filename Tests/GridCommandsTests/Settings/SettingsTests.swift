internal import GridCore
internal import GridSystem
internal import Testing

@testable internal import GridCommands

@Suite struct SettingsTests {
  private static let environment = [
    "GRIDCTL_ENDPOINTS": "10.0.0.1:4743, [::1]:4744,unix:/run/n1.sock", "GRIDCTL_NAMESPACE": "shop",
    "GRIDCTL_OUTPUT": "yaml",
    "GRIDCTL_TIMEOUT": "250ms", "HOME": "/h",
  ]

  @Test func `without a word the defaults hold`() throws {
    let settings = try Settings.resolve(flags: SettingFlags(), environment: ["HOME": "/h", "GRIDCTL_OUTPUT": ""])
    #expect(settings.endpoints == [] && settings.namespace == "default" && settings.format == .table)
    #expect(settings.timeout == .seconds(5) && settings.color == .auto && !settings.hidesHeaders && !settings.isQuiet)
    #expect(settings.sources == Settings.Sources())
    #expect(settings.directories.state == "/h/.local/state/gridctl/default")
  }

  @Test func `the environment goes before the defaults and options before both`() throws {
    let settings = try Settings.resolve(flags: SettingFlags(), environment: Self.environment)
    #expect(settings.endpoints == ["10.0.0.1:4743", "[::1]:4744", "unix:/run/n1.sock"])
    #expect(settings.namespace == "shop" && settings.format == .yaml && settings.timeout == .milliseconds(250))
    #expect(settings.sources.timeout == .environment("GRIDCTL_TIMEOUT"))
    #expect(settings.directories.state.hasSuffix("/gridctl/shop"))
    let flags = SettingFlags(
      endpoints: ["a:1", "b:2"], namespace: "other", output: "tsv", timeout: "2m", color: "never", hidesHeaders: true)
    let chosen = try Settings.resolve(flags: flags, environment: Self.environment)
    #expect(chosen.endpoints == ["a:1", "b:2"] && chosen.namespace == "other" && chosen.format == .tsv)
    #expect(chosen.timeout == .seconds(120) && chosen.color == .never && chosen.hidesHeaders)
    #expect(chosen.sources.endpoints == .flag("--endpoint") && chosen.sources.color == .flag("--color"))
    #expect(chosen.directories.runtime.hasSuffix("/other"))
  }

  @Test func `one option leaves the other variables in force`() throws {
    let settings = try Settings.resolve(flags: SettingFlags(output: "name"), environment: Self.environment)
    #expect(settings.format == .name && settings.namespace == "shop")
    #expect(
      settings.sources.output.description == "--output" && settings.sources.namespace.description == "GRIDCTL_NAMESPACE"
    )
    #expect(settings.sources.color.description == "default")
  }

  @Test(arguments: [
    ("GRIDCTL_ENDPOINTS", "nowhere"), ("GRIDCTL_ENDPOINTS", "a:1,,b:2"), ("GRIDCTL_ENDPOINTS", "a:0"),
    ("GRIDCTL_ENDPOINTS", ":1"), ("GRIDCTL_ENDPOINTS", "::1:1"), ("GRIDCTL_ENDPOINTS", "unix:"),
    ("GRIDCTL_ENDPOINTS", "a:65536"), ("GRIDCTL_NAMESPACE", "a b"), ("GRIDCTL_NAMESPACE", "../x"),
    ("GRIDCTL_OUTPUT", "xml"), ("GRIDCTL_TIMEOUT", "soon"), ("GRIDCTL_TIMEOUT", "0"), ("GRIDCTL_TIMEOUT", "-5s"),
  ])
  func `a wrong variable is a configuration error that names it`(variable: String, value: String) throws {
    let error = try #require(throws: GridError.self) {
      try Settings.resolve(flags: SettingFlags(), environment: [variable: value])
    }
    #expect(error.code == .configuration)
    #expect(error.message.hasPrefix(variable + ": "))
  }

  @Test func `a wrong option is a usage error that names it`() throws {
    let wrong: [(String, SettingFlags)] = [
      ("--endpoint", SettingFlags(endpoints: ["a:1", "b"])), ("--namespace", SettingFlags(namespace: "")),
      ("--output", SettingFlags(output: "xml")), ("--timeout", SettingFlags(timeout: "0")),
      ("--color", SettingFlags(color: "yes")),
    ]
    for (option, flags) in wrong {
      let error = try #require(throws: GridError.self) {
        try Settings.resolve(flags: flags, environment: Self.environment)
      }
      #expect(error.code == .usage && error.message.hasPrefix(option + ": "))
    }
  }

  @Test(
    arguments: [
      (nil, nil, nil, "", nil, nil), (nil, nil, "/v", "", "file:/v", "GRIDCTL_TOKEN_FILE"),
      (nil, nil, nil, "env:T", "env:T", "context prod"),
      (nil, nil, "/v", "env:T", "file:/v", "GRIDCTL_TOKEN_FILE"),
      ("f", nil, "/v", "env:T", "file:f", "--token-file"),
      // What the command line names goes first.
      (nil, "s", "/v", "env:T", nil, "GRIDCTL_TOKEN_FILE"), ("f", "s", nil, "", "file:f", "--token-file"),
    ] as [(String?, String?, String?, String, String?, String?)])
  func `which token is shown`(
    _ option: String?, _ secret: String?, _ variable: String?, _ reference: String, _ shown: String?, _ source: String?
  ) throws {
    var context = ContextDefinition(name: "prod")
    context.token = reference.isEmpty ? nil : try SecretReference(parsing: reference)
    var flags = SettingFlags()
    (flags.tokenFile, flags.secretFile) = (option, secret)
    let environment = variable.map { ["GRIDCTL_TOKEN_FILE": $0] } ?? [:]
    let settings = try Settings.resolve(flags: flags, environment: environment, context: context)
    #expect(settings.shownToken?.text == shown)
    #expect(settings.sources.token.description == source ?? "default")
  }

  @Test func `a token's file has a name`() {
    var flags = SettingFlags()
    flags.tokenFile = ""
    #expect(throws: GridError(.usage, "")) { try Settings.resolve(flags: flags, environment: [:]) }
  }
}
