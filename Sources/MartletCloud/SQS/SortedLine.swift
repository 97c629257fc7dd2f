// Elements in order, taken from the front and mostly added at the back.

/// An array whose front moves, so that neither end costs anything; an element in the middle is found by halving.
struct SortedLine<Element: Comparable & Sendable>: Sendable {
  private var elements: [Element] = []
  private var start = 0

  var count: Int { elements.count - start }
  var isEmpty: Bool { count == 0 }
  var first: Element? { isEmpty ? nil : elements[start] }
  var last: Element? { isEmpty ? nil : elements[elements.count - 1] }
  subscript(position: Int) -> Element { elements[start + position] }

  mutating func insert(_ element: Element) {
    if let last, last < element {
      elements.append(element)
    } else if let first, element < first, start > 0 {
      start -= 1
      elements[start] = element
    } else {
      elements.insert(element, at: start + position(of: element))
    }
  }

  @discardableResult
  mutating func removeFirst() -> Element? {
    guard let first else { return nil }
    start += 1
    if start > 1024, start * 2 > elements.count {
      elements.removeFirst(start)
      start = 0
    }
    return first
  }

  /// - Returns: whether it was there.
  @discardableResult
  mutating func remove(_ element: Element) -> Bool {
    let position = position(of: element)
    guard position < count, self[position] == element else { return false }
    if position == 0 { removeFirst() } else { elements.remove(at: start + position) }
    return true
  }

  /// Takes away all but the first `count`.
  mutating func cut(to count: Int) -> ArraySlice<Element> {
    guard count < self.count else { return [] }
    let rest = elements[(start + count)...]
    elements.removeLast(rest.count)
    return rest
  }

  /// How many elements are before `element`.
  func position(of element: Element) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < element { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
