// The image that a function runs instead of a package, and what the function changes of the image's own settings.
// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
import MartletCore
import MartletWire

package struct FunctionImage: Sendable, Equatable {
  /// As the request named it.
  package let uri: String
  /// Lower-case hexadecimal of the manifest's SHA-256: what the name meant when the request was made, for ever.
  package let digest: String
  /// `ImageConfig`.
  var configuration: ImageConfiguration?

  package init(uri: String, digest: String) {
    self.uri = uri
    self.digest = digest
  }

  /// The name with the digest; nil never, as the name was accepted once.
  package var resolvedURI: String { ImageReference(uri)?.at(digest) ?? uri }

  /// What stands for a package: an image has no size, as on AWS.
  package var package: CodePackage { CodePackage(key: digest, sha256: digest, size: 0, unpackedSize: 0) }

  /// `ImageConfigResponse`.
  func write(to w: inout MemberWriter) {
    guard let configuration else { return }
    w.object("ImageConfigResponse") { $0.object("ImageConfig") { configuration.write(to: &$0) } }
  }

  /// From a row of the database.
  init?(record json: JSONValue) {
    guard let uri = json["_"]?["ImageUri"]?.string, let digest = json["CodeSha256"]?.string else { return nil }
    self.init(uri: uri, digest: digest)
    configuration = json["ImageConfigResponse"]?["ImageConfig"].map { ImageConfiguration(json: $0) }
  }
}
