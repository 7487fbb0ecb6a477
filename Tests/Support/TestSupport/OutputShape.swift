internal import Foundation

/// What a line of output is apart from what differs from run to run, so that a README can show real output and a test
/// can hold it to that.
package enum OutputShape {
  /// Identifiers, times, addresses, durations and rates become words; runs of blanks become one.
  package static func of(_ line: String) -> String {
    var shape = line
    for (pattern, word) in patterns {
      shape = shape.replacingOccurrences(of: pattern, with: word, options: .regularExpression)
    }
    return shape
  }

  private static let patterns: [(String, String)] = [
    (#"\b0[0-9A-HJKMNP-TV-Z]{25}\b"#, "ID"),
    (#"\b([0-9]{4}-[0-9]{2}-[0-9]{2}T)?[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"#, "TIME"),
    (#"127\.0\.0\.1:[0-9]+"#, "ADDRESS"),
    (#"\b[0-9.]+/s\b"#, "RATE"),
    (#"\b[0-9]+(\.[0-9]+)?(us|ms|s|m|h)\b"#, "DURATION"),
    (#"(epoch|pid|token|uptimeSeconds)(:? +)[0-9.]+"#, "$1$2N"),
    (#"[▁▂▃▄▅▆▇█]+"#, "RATES"),
    (#" {2,}"#, " "),
    (#" +$"#, ""),
  ]
}
