internal import Foundation
internal import Glibc

/// The sources of this repository, read from disk.
struct Repository {
  let root: URL
  /// The patterns of `.gitignore`, which has names only, and no paths.
  private let ignored: [String]

  /// Finds the root upwards from this file: the folder that holds `Package.swift`.
  init(around file: String = #filePath) throws {
    var folder = URL(filePath: file).deletingLastPathComponent()
    while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
      guard folder.pathComponents.count > 1 else { throw CocoaError(.fileNoSuchFile) }
      folder.deleteLastPathComponent()
    }
    root = folder
    let patterns = try? String(contentsOf: folder.appending(path: ".gitignore"), encoding: .utf8)
    ignored = (patterns ?? "").split(separator: "\n").map { $0.hasSuffix("/") ? String($0.dropLast()) : String($0) }
  }

  /// Paths, relative to the root, of the files under `folder` that version control keeps; sorted.
  ///
  /// Symbolic links are not followed.
  func files(under folder: String = "") throws -> [String] {
    let place = folder.isEmpty ? root : root.appending(path: folder)
    var found: [String] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: place.path).sorted() {
      guard !isIgnored(name) else { continue }
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

  /// What `.gitignore` names, the repository's own records, and what a run leaves beside them.
  private func isIgnored(_ name: String) -> Bool {
    name == ".git" || name.hasSuffix(".log") || ignored.contains { fnmatch($0, name, 0) == 0 }
  }

  /// The file's text, or nil when it is not UTF-8 (an image, say).
  func text(_ path: String) throws -> String? {
    String(validating: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
  }

  /// The Swift files under `folders` that people write, taken apart into code and comments.
  func swiftFiles(under folders: [String]) throws -> [SwiftText] {
    try folders.flatMap { try files(under: $0) }
      .filter { $0.hasSuffix(".swift") && !$0.contains("/Generated/") }
      .map { SwiftText(path: $0, text: try text($0) ?? "") }
  }
}
