internal import Foundation

/// The sources of this repository, read from disk.
struct Repository {
  let root: URL

  /// Finds the root upwards from this file: the folder that holds `Package.swift`.
  init(around file: String = #filePath) throws {
    var folder = URL(filePath: file).deletingLastPathComponent()
    while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
      guard folder.pathComponents.count > 1 else { throw CocoaError(.fileNoSuchFile) }
      folder.deleteLastPathComponent()
    }
    root = folder
  }

  /// Paths, relative to the root, of the files under `folder` that version control keeps; sorted.
  ///
  /// Symbolic links are not followed.
  func files(under folder: String = "") throws -> [String] {
    let place = folder.isEmpty ? root : root.appending(path: folder)
    var found: [String] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: place.path).sorted() {
      guard !Self.isIgnored(name) else { continue }
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      let kind = try FileManager.default.attributesOfItem(atPath: place.appending(path: name).path)[.type]
      switch kind as? FileAttributeType {
      case .typeDirectory: found += try files(under: path)
      case .typeRegular: found.append(path)
      default: break
      }
    }
    return found
  }

  /// What `.gitignore` names, and the repository's own records.
  private static func isIgnored(_ name: String) -> Bool {
    name == ".git" || name == ".swiftpm" || name == "Package.resolved" || name.hasPrefix(".build")
      || name.hasSuffix(".swp")
  }

  /// The file's text, or nil when it is not UTF-8 (an image, say).
  func text(_ path: String) throws -> String? {
    String(validating: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
  }

  /// The Swift files under `folders`, taken apart into code and comments.
  func swiftFiles(under folders: [String]) throws -> [SwiftText] {
    try folders.flatMap { try files(under: $0) }
      .filter { $0.hasSuffix(".swift") }
      .map { SwiftText(path: $0, text: try text($0) ?? "") }
  }
}
