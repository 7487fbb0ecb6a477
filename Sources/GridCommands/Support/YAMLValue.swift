internal import Yams

/// A value of a YAML file that knows where it stands, so that what is wrong with it can be found.
struct YAMLValue {
  /// A key of a mapping.
  struct Key {
    let text: String
    /// With those around it, as `kinds.resize.command`.
    fileprivate let path: String
    fileprivate let line: Int?

    func fault(_ message: String, hint: String? = nil) -> KindsFault {
      KindsFault(message: "\(path): \(message)", line: line, hint: hint)
    }

    /// It is none of those that mean something.
    func unknown(_ known: [String]) -> KindsFault {
      KindsFault(
        message: "unknown key \(path)", line: line,
        hint: known.count == 1 ? "the only key here is \(known[0])" : "known are \(known.joined(separator: ", "))")
    }
  }

  private let node: Node
  private let path: String

  private init(_ node: Node, _ path: String) {
    self.node = node
    self.path = path
  }

  /// The one document of a file.
  static func document(_ text: String) throws(KindsFault) -> YAMLValue {
    do {
      guard let node = try compose(yaml: text) else { throw KindsFault(message: "the file is empty") }
      return YAMLValue(node, "")
    } catch let error as KindsFault {
      throw error
    } catch {
      throw fault(error)
    }
  }

  private static func fault(_ error: any Error) -> KindsFault {
    switch error {
    case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      KindsFault(message: problem, line: mark.line)
    case YamlError.duplicatedKeysInMapping(let keys, let context):
      KindsFault(message: "\(keys.sorted().joined(separator: ", ")) stands there twice", line: context.mark.line)
    case YamlError.reader(let problem, _, _, _): KindsFault(message: problem)
    default: KindsFault(message: "it is no YAML: \(error)")
    }
  }

  func fault(_ message: String, hint: String? = nil) -> KindsFault {
    KindsFault(message: path.isEmpty ? message : "\(path): \(message)", line: node.mark?.line, hint: hint)
  }

  /// The members of a mapping, in the order of the file.
  func members() throws(KindsFault) -> [(key: Key, value: YAMLValue)] {
    guard let mapping = node.mapping else { throw fault("it must be KEY: VALUE pairs") }
    var members: [(key: Key, value: YAMLValue)] = []
    for (key, value) in mapping {
      guard let text = key.scalar?.string else { throw fault("a key must be a word") }
      let place = path.isEmpty ? text : "\(path).\(text)"
      members.append((Key(text: text, path: place, line: key.mark?.line), YAMLValue(value, place)))
    }
    return members
  }

  /// A text, a number or a word, as it is written.
  func text() throws(KindsFault) -> String {
    guard let scalar = node.scalar, node.null == nil else { throw fault("it must be a text") }
    return scalar.string
  }

  func flag() throws(KindsFault) -> Bool {
    guard let flag = node.bool else { throw fault("it must be true or false") }
    return flag
  }

  func texts() throws(KindsFault) -> [String] {
    guard let sequence = node.sequence else { throw fault("it must be a list: [PROGRAM, ARGUMENT, …]") }
    var texts: [String] = []
    for (index, node) in sequence.enumerated() { texts.append(try YAMLValue(node, "\(path)[\(index)]").text()) }
    return texts
  }

  func textsByName() throws(KindsFault) -> [String: String] {
    var texts: [String: String] = [:]
    for (key, value) in try members() { texts[key.text] = try value.text() }
    return texts
  }
}
