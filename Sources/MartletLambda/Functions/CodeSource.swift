// Where a request says that code is: the members of CreateFunction's `Code`, of UpdateFunctionCode, of a layer's
// `Content`. https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html
import MartletCore
import MartletWire
import NIOCore

struct CodeSource: Sendable {
  let zip: ByteBuffer?
  let bucket: String?
  let key: String?
  let objectVersion: String?
  /// The package is to stay in the bucket, not built (UNIMPLEMENTED.txt).
  let isReference: Bool
  let image: String?
  /// A customer's key for the package: kept and shown, nothing is encrypted with it. Empty = none.
  let sourceKeyARN: String?

  init(_ m: Members, mayBeImage: Bool = true) {
    zip = m.blob("ZipFile")
    bucket = m.string("S3Bucket", .length(3, 63), .pattern(CodeSource.bucketPattern))
    key = m.string("S3Key", .length(1, 1024))
    objectVersion = m.string("S3ObjectVersion", .length(1, 1024))
    isReference = m.string("S3ObjectStorageMode", .oneOf(["COPY", "REFERENCE"])) == "REFERENCE"
    image = mayBeImage ? m.string("ImageUri") : nil
    sourceKeyARN = m.string("SourceKMSKeyArn", .length(nil, 10_000), .pattern(FunctionSettings.resourcePattern))
  }

  private static let bucketPattern = Pattern(
    #"[0-9A-Za-z\.\-_]*(?<!\.)"#, as: #"([0-9A-Za-z\.\-_]*[0-9A-Za-z\-_])?"#)

  /// Where a package comes from.
  enum Origin: Sendable {
    case request(ByteBuffer)
    case object(S3.GetObject.Input)
    /// Its name in a registry.
    case image(String)
  }

  /// The one place that the request names.
  /// - Parameters:
  ///   - operation: as an error that names a missing feature shows it.
  ///   - prefix: what the members are in: `Code.` or nothing.
  func origin(_ operation: String, prefix: String) throws(AWSError) -> Origin {
    if let image {
      guard zip == nil, bucket == nil, key == nil, objectVersion == nil else { throw .imageSourceAmbiguous() }
      return .image(image)
    }
    if let zip {
      guard bucket == nil, key == nil, objectVersion == nil, !isReference else {
        throw .codeSourceAmbiguous()
      }
      return .request(zip)
    }
    guard let bucket, let key else { throw .codeSourceMissing() }
    if isReference { throw .notImplemented("\(operation) with \(prefix)S3ObjectStorageMode=REFERENCE") }
    return .object(S3.GetObject.Input(bucket: bucket, key: key, version: objectVersion))
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

/// What a function is to run.
struct StoredCode: Sendable {
  let package: CodePackage
  /// nil for a package.
  let image: FunctionImage?
}

extension LambdaService {
  /// Checks and stores a package, from the request or from S3. When this returns, it is on disk, packed and unpacked.
  /// Of an image it is found out which one is meant; the activation fetches it.
  /// - Throws: what S3 says of the object, in Lambda's words; what is wrong with the package or the image.
  func store(_ origin: CodeSource.Origin, _ call: Call) async throws(AWSError) -> StoredCode {
    switch origin {
    case .request(let zip):
      try requireStorage(call.place, adding: zip.readableBytes)
      return StoredCode(package: try await packages.store(zip), image: nil)
    case .object(var input):
      // No zip is much larger than what is in it.
      input.limit = .bytes(limits.codeSizeUnzipped.bytes + limits.codeSizeZipped.bytes)
      input.isRegional = true
      let object: S3.GetObject.Output
      do throws(AWSError) {
        object = try await door.call(S3.GetObject.self, input, call)
      } catch {
        throw error.status >= 500 ? error : .codeObject(error, limits)
      }
      try requireStorage(call.place, adding: object.body.size)
      return StoredCode(package: try await packages.store(object.body), image: nil)
    case .image(let uri):
      guard line.placement.canRunImages else { throw .imagesUnavailable(FunctionImages.needsRoot) }
      let image = try await packages.images.resolve(uri)
      return StoredCode(package: image.package, image: image)
    }
  }
}
