// A page of a list, and where the next one begins.
import MartletCore
import MartletWire
import NIOCore

enum CloudWatchPage {
  /// - Parameter elements: in an order that stays.
  static func cut<Element>(
    _ elements: [Element], _ token: String?, size: Int
  ) throws(AWSError) -> (page: [Element], token: String?) {
    let start = try position(token)
    guard start <= elements.count else { return ([], nil) }
    let page = Array(elements[start...].prefix(size))
    let end = start + page.count
    return (page, end < elements.count ? self.token(end) : nil)
  }

  static func token(_ position: Int) -> String { Base64.encode(Array("at \(position)".utf8)) }

  static func position(_ token: String?) throws(AWSError) -> Int {
    guard let token else { return 0 }
    guard let bytes = Base64.decode(token), case let text = String(buffer: bytes), text.hasPrefix("at "),
      let position = Int(text.dropFirst(3)), position >= 0
    else { throw .cloudWatchToken() }
    return position
  }
}
