// The ARN under which AWS names a version of a managed runtime.
import MartletCore
import MartletWire

package enum RuntimeVersion {
  /// `arn:aws:lambda:us-east-1::runtime:` and 64 digits, the same for the same identifier.
  package static func arn(_ identifier: String, region: Region) -> String {
    let digest = Array("martlet runtime \(identifier)".utf8).withUnsafeBytes { Digest.sha256($0) }
    return "arn:aws:lambda:\(region)::runtime:\(Digest.hex(digest))"
  }
}
