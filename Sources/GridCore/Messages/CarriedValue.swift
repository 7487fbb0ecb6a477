/// A value on its way inside a process; see ``Message/init(carrying:contentType:type:)``.
package protocol CarriedValue: AnyObject, Sendable {
  /// The value as the bytes of a body.
  ///
  /// - Throws: ``GridError/Code/undecodable`` when it cannot be written.
  func written() throws(GridError) -> [UInt8]
}
