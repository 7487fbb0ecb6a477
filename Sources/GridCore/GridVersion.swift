/// The version of this library and of gridctl.
package enum GridVersion {
  package static let current = "0.1.0"
}
