// Where a request says that a function's code is: the members of CreateFunction's `Code` and of UpdateFunctionCode.
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html
import MartletCore
import MartletWire
import NIOCore

struct CodeSource: Sendable {
  let zip: ByteBuffer?
  let hasBucket: Bool
  let hasImage: Bool
  let hasKey: Bool
  /// A customer's key for the package, not built (UNIMPLEMENTED.txt).
  let hasSourceKey: Bool

  init(_ m: Members) {
    zip = m.blob("ZipFile")
    let bucket = m.string("S3Bucket", .length(3, 63))
    let key = m.string("S3Key", .length(1, 1024))
    let version = m.string("S3ObjectVersion", .length(1, 1024))
    let mode = m.string("S3ObjectStorageMode", .oneOf(["COPY", "REFERENCE"]))
    hasBucket = bucket != nil
    hasKey = key != nil || version != nil || mode == "REFERENCE"
    hasImage = m.string("ImageUri") != nil
    hasSourceKey = m.string("SourceKMSKeyArn", .pattern(FunctionSettings.resourcePattern))?.isEmpty == false
  }

  /// The zip, or why there is none.
  /// - Parameters:
  ///   - operation: as an error that names a missing feature shows it.
  ///   - prefix: what the members are in: `Code.` or nothing.
  func package(_ operation: String, prefix: String) throws(AWSError) -> ByteBuffer {
    if zip != nil, hasBucket || hasKey || hasImage { throw .codeSourceAmbiguous() }
    if hasSourceKey { throw .notImplemented("\(operation) with \(prefix)SourceKMSKeyArn") }
    if hasBucket || hasKey { throw .notImplemented("\(operation) with \(prefix)S3Bucket") }
    guard let zip else { throw .codeSourceMissing() }
    return zip
  }

  /// A list of two words; of a function exactly one of them.
  static func architectures(
    _ m: Members, _ r: Reader, member: String = "Architectures", count: ClosedRange<Int> = 1...1
  ) -> [String]? {
    guard let list = m.strings(member, count: count) else { return nil }
    if list.contains(where: { $0 != "x86_64" && $0 != "arm64" }) {
      r.violate(
        "Value '[\(list.joined(separator: ", "))]' at '\(Reader.lowerCamel(member))' failed to satisfy constraint: "
          + "Member must satisfy constraint: "
          + "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]")
    }
    return list
  }
}
