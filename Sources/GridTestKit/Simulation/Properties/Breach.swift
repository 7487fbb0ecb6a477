/// That a property does not hold. The properties have the numbers of ``SimulationRecord``.
struct Breach: Equatable {
  var property: String
  var text: String

  init(_ property: String, _ text: String) {
    self.property = property
    self.text = text
  }
}
