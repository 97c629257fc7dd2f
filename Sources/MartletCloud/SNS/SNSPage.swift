// A page of a list: a hundred, and where the next one begins.
import MartletCore
import MartletWire
import NIOCore

enum SNSPage {
  private static let size = 100

  /// - Parameter elements: in the order of `name`.
  static func cut<Element>(
    _ elements: [Element], _ token: String?, by name: (Element) -> String
  ) throws(AWSError) -> (page: [Element], token: String?) {
    var rest = elements[...]
    if let token {
      guard let bytes = Base64.decode(token), bytes.readableBytes > 0 else { throw .snsInvalid("NextToken") }
      let last = String(buffer: bytes)
      rest = rest.drop { name($0) <= last }
    }
    let page = Array(rest.prefix(size))
    guard page.count < rest.count, let last = page.last else { return (page, nil) }
    return (page, Base64.encode(Array(name(last).utf8)))
  }
}
