// A bucket, and the rules for its name.
import MartletCore

struct S3Bucket: Sendable, Equatable {
  enum Versioning: String, Sendable {
    /// Nobody ever asked for versions.
    case never = ""
    case enabled = "Enabled"
    case suspended = "Suspended"
  }

  let name: String
  let place: Place
  let created: Timestamp
  var versioning = Versioning.never

  /// What GetBucketLocation says: nothing for the first of all regions.
  var location: String { place.region.name == "us-east-1" ? "" : place.region.name }

  /// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  static func isValid(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    guard (3...63).contains(bytes.count), let first = bytes.first, let last = bytes.last else { return false }
    func isLetterOrDigit(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (48...57).contains(byte) }
    guard isLetterOrDigit(first), isLetterOrDigit(last) else { return false }
    guard bytes.allSatisfy({ isLetterOrDigit($0) || $0 == 45 || $0 == 46 }) else { return false }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    if labels.contains(where: \.isEmpty) { return false }
    return !(labels.count == 4 && labels.allSatisfy { UInt8($0) != nil })
  }
}
