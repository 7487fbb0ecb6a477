/// How often and how many, in words.
package enum CountText {
  /// `once`, `2 times`.
  package static func times(_ count: some BinaryInteger) -> String {
    count == 1 ? "once" : "\(grouped(count)) times"
  }

  /// `once`, `2 times in a row`.
  package static func timesInARow(_ count: some BinaryInteger) -> String {
    count == 1 ? "once" : "\(grouped(count)) times in a row"
  }

  /// `1 message`, `2 messages`.
  ///
  /// - Parameter plural: where it is more than an `s` at the end.
  package static func of(_ count: some BinaryInteger, _ noun: String, _ plural: String? = nil) -> String {
    "\(grouped(count)) \(self.noun(count, noun, plural))"
  }

  /// `message` of one, else `messages`.
  package static func noun(_ count: some BinaryInteger, _ noun: String, _ plural: String? = nil) -> String {
    count == 1 ? noun : plural ?? noun + "s"
  }

  /// A whole number with its digits in groups of three, for what is read and not parsed: `1,234,567`.
  package static func grouped(_ value: some BinaryInteger) -> String {
    let digits = String(value.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { result += "," }
      result.append(digit)
    }
    return value < 0 ? "-" + result : result
  }
}
