/// Numbers out of a document that somebody else has sent may be any: what is reckoned with them must not trap.
enum ForeignNumberRules {
  /// Where such a number comes out.
  private static let sources = ["integerValue", "doubleValue"]
  /// Conversions that trap on a number that does not fit; `Int(clamping:)` and its like do not.
  private static let conversions = ["Int(", "Int64(", "Int32(", "UInt(", "UInt32(", "UInt64("]
  private static let harmless = ["clamping:", "exactly:", "truncatingIfNeeded:", "bitPattern:"]
  /// Sums of whole numbers trap, those of floating-point numbers do not.
  private static let operators = [" + ", " - ", " * ", " += ", " -= ", " *= "]

  /// Findings in a file under `Sources`.
  static func findings(in file: SwiftText) -> [Finding] {
    file.code.enumerated().flatMap { index, line -> [Finding] in
      guard sources.contains(where: line.contains) else { return [] }
      var found: [String] = []
      if conversions.contains(where: { converts($0, in: line) }) {
        found.append("a number that somebody sent is converted: use Int(clamping:) or Duration(seconds:)")
      }
      if line.contains("integerValue"), operators.contains(where: line.contains) {
        found.append("a number that somebody sent is added: use addingClamped, subtractingClamped or clampedSum")
      }
      return found.map { file.finding(index, $0) }
    } + rowFindings(in: file)
  }

  private static func converts(_ conversion: String, in line: String) -> Bool {
    line.places(of: conversion).contains { place in
      let rest = String(decoding: line.utf8.dropFirst(place + conversion.utf8.count), as: UTF8.self)
      return !harmless.contains(where: rest.hasPrefix)
    }
  }

  /// A file may hold anything, and the subscript of a database row traps on what does not convert.
  private static func rowFindings(in file: SwiftText) -> [Finding] {
    guard file.target == "GridStoreSQLite" else { return [] }
    return file.code.enumerated().filter { $0.element.contains("row[") }.map { index, _ in
      file.finding(index, "the subscript of a row traps on what does not convert: use row.decode")
    }
  }
}
