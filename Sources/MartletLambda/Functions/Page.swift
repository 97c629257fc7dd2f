// Pages of a list: mostly at most fifty elements, and an opaque marker that says where the next page begins.
import MartletCore
import MartletWire
import NIOCore

package struct Page: Sendable {
  /// `Marker` as sent.
  let marker: String?
  /// `MaxItems`; no more than the service sends at once.
  let size: Int

  /// - Parameters:
  ///   - atMost: the largest `MaxItems` that the operation takes.
  ///   - most: elements that the operation sends at once.
  package init(_ r: Reader, atMost: Int = 10_000, most: Int = 50) {
    marker = r.query("Marker").flatMap { $0.isEmpty ? nil : $0 }
    size = min(r.queryInteger("MaxItems", in: 1...atMost) ?? most, most)
  }

  /// The elements after the marker. The marker holds the last element's key, not its position, so that elements which
  /// come and go between two pages neither repeat nor hide others.
  /// - Parameters:
  ///   - elements: in the order of their keys.
  ///   - key: tells the elements apart.
  package func cut<T>(_ elements: [T], key: (T) -> String) throws(AWSError) -> (elements: [T], next: String?) {
    try cut(key: key) { last, _ in last.map { last in elements.filter { key($0) > last } } ?? elements }
  }

  /// The same for elements that are fetched.
  /// - Parameter fetch: the elements after the one with the given key, nil = from the first: `count` of them or more,
  ///   fewer only if there are no more.
  func cut<T>(
    key: (T) -> String, fetch: (_ last: String?, _ count: Int) -> [T]
  ) throws(AWSError) -> (elements: [T], next: String?) {
    var last: String?
    if let marker {
      guard let text = Base64.decode(marker).map({ String(buffer: $0) }), text.hasPrefix(Page.mark) else {
        throw .invalidMarker()
      }
      last = String(text.dropFirst(Page.mark.count))
    }
    let rest = fetch(last, size + 1)
    let page = Array(rest.prefix(size))
    guard rest.count > size, let final = page.last else { return (page, nil) }
    return (page, Base64.encode(Array((Page.mark + key(final)).utf8)))
  }

  private static let mark = "after:"

  /// A version's key: versions of a function follow `$LATEST` in the order of their numbers.
  static func key(_ configuration: FunctionConfiguration) -> String {
    switch configuration.version {
    case .latest: "\(configuration.name) 0"
    case .latestPublished: "\(configuration.name) 00"
    case .number(let n): "\(configuration.name) \(String(n).count)\(n)"
    }
  }
}
