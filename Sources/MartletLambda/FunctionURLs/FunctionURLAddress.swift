// Which function URL a request is for: told by its host, or by a path that needs no name service.
import MartletCore
import MartletWire

package struct FunctionURLAddress: Sendable, Equatable {
  /// 32 lower-case letters and digits.
  package let id: String
  /// What the function is told: as sent, percent-encoded, without the query.
  package let path: Substring
  /// The name under which the caller reached it, without the port; nil if it was reached by a path.
  package let domain: String?

  /// `/_martlet/url/<id>/…`
  package static let pathPrefix = "/_martlet/url/"
  private static let label = ".lambda-url."
  private static let idLength = 32

  /// nil if neither host nor path name a function URL. Every request passes here.
  package init?(host: String, path: Substring) {
    if FunctionURLAddress.isMeant(byHost: host) {
      let name = host.utf8.last == UInt8(ascii: "]") ? host[...] : host.prefix { $0 != ":" }
      id = host.prefix(FunctionURLAddress.idLength).lowercased()
      domain = name.lowercased()
      self.path = path
    } else if path.utf8.starts(with: FunctionURLAddress.pathPrefix.utf8) {
      let rest = path.dropFirst(FunctionURLAddress.pathPrefix.count)
      let slash = rest.firstIndex(of: "/") ?? rest.endIndex
      id = String(rest[..<slash])
      domain = nil
      self.path = slash == rest.endIndex ? "/" : rest[slash...]
    } else {
      return nil
    }
  }

  /// `<id>.lambda-url.<region>.<anything>`
  package static func isMeant(byHost host: String) -> Bool {
    let bytes = host.utf8
    return bytes.count > idLength + label.utf8.count && bytes.dropFirst(idLength).starts(with: label.utf8)
  }

  /// True of what `init` takes.
  package static func isMeant(byHost host: String, uri: String) -> Bool {
    isMeant(byHost: host) || uri.utf8.starts(with: pathPrefix.utf8)
  }
}
