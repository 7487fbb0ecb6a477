/// The version of this library and of gridctl.
public enum GridVersion {
  public static let current = "0.1.0"
}
