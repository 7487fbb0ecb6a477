/// A piece of gridctl that takes bytes from outside, and what must hold whatever they are.
package struct FuzzTarget: Sendable {
  /// As it is called on command lines and in the folder of its inputs.
  package let name: String
  /// Ends with an error where a promise is broken. That it ends at all is the first promise.
  package let run: @Sendable ([UInt8]) throws -> Void

  package init(_ name: String, _ run: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.name = name
    self.run = run
  }
}

/// A promise that an input has broken.
package struct BrokenPromise: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// - Throws: ``BrokenPromise`` unless it holds.
package func promise(_ holds: Bool, _ what: @autoclosure () -> String) throws {
  if !holds { throw BrokenPromise(what()) }
}
