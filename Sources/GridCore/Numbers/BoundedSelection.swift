/// The first so many of what is offered, in order, whatever is offered: without sorting the rest. Pure.
///
/// It holds about twice as many at most. Its code is for whoever uses it to specialise: a node offers a million.
package struct BoundedSelection<Element> {
  @usableFromInline let limit: Int
  @usableFromInline let areInOrder: (Element, Element) -> Bool
  @usableFromInline var elements: [Element] = []
  /// The last of those that are wanted so far, once there are enough: what comes after it is not wanted.
  @usableFromInline var last: Element?

  /// - Parameters:
  ///   - limit: how many are wanted; `Int.max` for all.
  ///   - areInOrder: whether the first comes before the second.
  @inlinable package init(limit: Int, by areInOrder: @escaping (Element, Element) -> Bool) {
    self.limit = max(0, limit)
    self.areInOrder = areInOrder
  }

  @inlinable package mutating func offer(_ element: Element) {
    if let last, !areInOrder(element, last) { return }
    guard limit > 0 else { return }
    elements.append(element)
    if limit < Int.max / 4, elements.count >= limit * 2 + 16 { prune() }
  }

  /// Those that were wanted, in order.
  @inlinable package mutating func take() -> [Element] {
    prune()
    defer { (elements, last) = ([], nil) }
    return elements
  }

  @inlinable mutating func prune() {
    elements.sort(by: areInOrder)
    guard elements.count >= limit else { return }
    elements.removeSubrange(limit...)
    last = elements.last
  }
}
