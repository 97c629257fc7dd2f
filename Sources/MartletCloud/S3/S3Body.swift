// The bytes that a request brings: checked against what the client said of them, and put into a file.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

struct S3Body: Sendable {
  private let headers: HTTPHeaders
  private let bytes: ByteBuffer
  private let file: OpenFile?
  /// The part of `file` that is meant; nil = all.
  private let range: Range<Int>?
  private let fault: Fault?
  private let isTooLarge: Bool
  /// Of the chunks' content, as the client says.
  private let decodedLength: Int?
  private let contentMD5: String?
  /// In base64, as the client says in front of the body.
  private let checksums: [(algorithm: ChecksumAlgorithm, value: String)]
  /// Of the checksums that the client says or will say.
  let algorithms: [ChecksumAlgorithm]
  /// What is wrong with the headers.
  private let refusal: AWSError?

  /// - Parameter range: the part of the request's file that is meant; nil = all.
  init(_ request: HTTPRequest, range: Range<Int>? = nil) {
    headers = request.headers
    bytes = request.body
    file = request.file
    self.range = range
    fault = request.fault
    isTooLarge = request.bodyExceedsLimit
    decodedLength = request.header("x-amz-decoded-content-length").flatMap { Int($0) }
    contentMD5 = request.header("Content-MD5")
    checksums = ChecksumAlgorithm.withHeader.compactMap { algorithm in
      request.header(algorithm.header).map { (algorithm, $0) }
    }
    algorithms = S3Intake.said(request.headers)
    refusal = S3Body.refusal(of: request, checksums.count, algorithms)
  }

  private static func refusal(of request: HTTPRequest, _ count: Int, _ said: [ChecksumAlgorithm]) -> AWSError? {
    guard count <= 1 else {
      return .invalidRequest(
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    }
    guard let name = request.header("x-amz-sdk-checksum-algorithm") else { return nil }
    guard let algorithm = ChecksumAlgorithm(rawValue: name.uppercased()), algorithm != .md5 else {
      return .invalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
    }
    return said.isEmpty && request.header("Content-MD5") == nil
      ? .invalidRequest(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were "
          + "found.") : nil
  }

  /// The client said some digest of the body, by which it can be checked.
  var isChecked: Bool { contentMD5 != nil || !algorithms.isEmpty }

  /// Small bodies whole, as those with XML.
  func whole(limit: Int) throws(AWSError) -> ByteBuffer {
    guard !isTooLarge, file == nil, fault == nil, bytes.readableBytes <= limit else { throw .malformedXML() }
    var content = ByteBuffer()
    let intake = S3Intake(headers, summing: nil)
    do throws(Fault) {
      try feed(intake) { bytes throws(Fault) in content.writeBytes(bytes) }
    } catch {
      throw .service("\(error)")
    }
    _ = try check(intake)
    return content
  }

  /// The XML of a body.
  /// - Throws: `MalformedXML` unless it is one element of that name.
  func element(_ root: String) throws(AWSError) -> XMLElement {
    let bytes = try whole(limit: S3Document.limit)
    let element = try? XMLElement(parsing: bytes.readableBytesView)
    guard let element, element.name == root else { throw .malformedXML() }
    return element
  }

  /// Puts the content into a file. Blocks.
  /// - Parameter algorithm: of the checksum that is made even if the client says none.
  func store(in files: S3Files, summing algorithm: ChecksumAlgorithm? = nil) throws(AWSError) -> S3Draft {
    guard !isTooLarge else { throw .s3TooLarge() }
    if let fault { throw .service("\(fault)") }
    if let file, range == nil, let intake = file.filter as? S3Intake {
      var draft = try check(intake)
      if algorithms.isEmpty, draft.checksum?.algorithm != algorithm?.rawValue {
        if let algorithm { draft.checksum = try sum(of: file, algorithm) } else { draft.checksum = nil }
      }
      if let name = files.adopt(file) { draft.file = name } else { draft.file = try copy(file, into: files) }
      return draft
    }
    let intake = S3Intake(headers, summing: algorithm)
    var draft = S3Draft()
    let name = try files.create { append throws(AWSError) in
      do throws(Fault) { try feed(intake, append) } catch { throw .service("\(error)") }
      draft = try check(intake)
    }
    draft.file = name
    return draft
  }

  private func copy(_ file: OpenFile, into files: S3Files) throws(AWSError) -> String {
    try files.create { append throws(AWSError) in
      do throws(Fault) { try file.forEachPiece(append) } catch { throw .service("\(error)") }
    }
  }

  private func sum(
    of file: OpenFile, _ algorithm: ChecksumAlgorithm
  ) throws(AWSError) -> (algorithm: String, value: String) {
    let stream = DigestStream(algorithm)
    do throws(Fault) {
      try file.forEachPiece { bytes throws(Fault) in stream.append(bytes) }
    } catch {
      throw .service("\(error)")
    }
    return (algorithm.rawValue, Base64.encode(stream.finish()))
  }

  private func feed(
    _ intake: S3Intake, _ write: (UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(Fault) {
    if let file {
      try file.forEachPiece(in: range) { bytes throws(Fault) in try intake.append(bytes, write) }
    } else {
      let result = bytes.withUnsafeReadableBytes { raw in
        Result { () throws(Fault) in try intake.append(raw, write) }
      }
      try result.get()
    }
  }

  /// What came, if it is what the client said.
  private func check(_ intake: S3Intake) throws(AWSError) -> S3Draft {
    if let refusal { throw refusal }
    let digests = intake.finish()
    guard !intake.isFlawed, decodedLength == nil || decodedLength == intake.size else { throw .incompleteBody() }
    guard intake.size <= S3Service.largestUpload.bytes else { throw .s3TooLarge() }
    var draft = S3Draft(size: intake.size, etag: Digest.hex(digests.md5))
    if let contentMD5 {
      guard let given = Base64.decode(contentMD5), given.readableBytes == 16 else { throw .invalidDigest(contentMD5) }
      guard Array(given.readableBytesView) == digests.md5 else { throw .badDigest("Content-MD5") }
    }
    if let given = S3Intake.signed(headers), let computed = digests.sha256, given != computed {
      throw .payloadDigestMismatch(given: given, computed: computed)
    }
    for (algorithm, computed) in digests.sums {
      let said =
        checksums.filter { $0.algorithm == algorithm }.map(\.value)
        + intake.trailers.filter { $0.name == algorithm.header }.map(\.value)
      guard !said.isEmpty || !algorithms.contains(algorithm) else { throw .malformedTrailer() }
      if let wrong = said.first(where: { !algorithm.isValue($0) }) {
        throw .invalidChecksum(algorithm.header, wrong)
      }
      guard said.allSatisfy({ $0 == computed }) else { throw .badDigest(algorithm.rawValue) }
      draft.checksum = (algorithm.rawValue, computed)
    }
    return draft
  }
}

extension ChecksumAlgorithm {
  /// True of a text that may be a checksum: base64 of the right length.
  func isValue(_ text: String) -> Bool {
    let length = [Self.crc32: 4, .crc32c: 4, .crc64nvme: 8, .md5: 16, .sha1: 20, .sha256: 32][self]
    return Base64.decode(text)?.readableBytes == length
  }
}
