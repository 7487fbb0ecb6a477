internal import FuzzSupport
internal import GridCore

@testable internal import GridCommands

/// A text as a file of kinds: each kind that it has may be run, or the file is refused with its name.
let kindsTarget = FuzzTarget("kinds") { bytes in
  guard let text = String(validating: bytes, as: UTF8.self) else { return }
  do {
    let file = try KindsFile(path: "kinds.yaml", text: text)
    for (name, program) in file.programs {
      try promise(NameRules.isValid(name), "a kind has a name that nobody may have")
      try promise(program.command.first?.isEmpty == false, "a kind has no program")
    }
    try promise(file.singletons.isSubset(of: file.programs.keys), "a singleton is of no kind")
  } catch let error as GridError {
    try promise(error.code == .configuration, "a file of kinds is refused as \(error.code)")
    try promise(error.message.hasPrefix("kinds.yaml"), "an error does not name the file: \(error.message)")
  }
}

/// A text as the file of a context: what is accepted is written in one way.
let contextTarget = FuzzTarget("context") { bytes in
  guard let text = String(validating: bytes, as: UTF8.self) else { return }
  do {
    let table = try ConfigurationTable(path: "c.toml", text: text)
    let context = try ContextDefinition(name: "c", table: table)
    let again = try ContextDefinition(name: "c", table: ConfigurationTable(path: "c.toml", text: context.text))
    try promise(again.text == context.text, "a context is another one once it was written: \(context.text)")
    _ = context.json.text
  } catch let error as GridError {
    try promise(error.code == .configuration, "the file of a context is refused as \(error.code)")
  }
}
