// The bytes that a request brings: decoded, measured, checked against what the client said of them, put into a file.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
import MartletCore
import MartletWire
import NIOCore

struct S3Body: Sendable {
  private let bytes: ByteBuffer
  private let file: OpenFile?
  private let fault: Fault?
  private let isTooLarge: Bool
  private let isChunked: Bool
  /// Of the chunks' content, as the client says.
  private let decodedLength: Int?
  /// In hexadecimal, if the client signed the body.
  private let sha256: String?
  private let contentMD5: String?
  /// In base64, as the client says.
  private let checksums: [(algorithm: ChecksumAlgorithm, value: String)]
  /// What the client will say behind the body.
  private let trailing: [ChecksumAlgorithm]

  init(_ request: HTTPRequest) {
    bytes = request.body
    file = request.file
    fault = request.fault
    isTooLarge = request.bodyExceedsLimit
    let digest = request.header("x-amz-content-sha256") ?? ""
    isChunked =
      digest.hasPrefix("STREAMING-") || request.header("Content-Encoding")?.contains("aws-chunked") == true
    decodedLength = request.header("x-amz-decoded-content-length").flatMap { Int($0) }
    sha256 = digest.utf8.count == 64 ? digest.lowercased() : nil
    contentMD5 = request.header("Content-MD5")
    checksums = ChecksumAlgorithm.withHeader.compactMap { algorithm in
      request.header(algorithm.header).map { (algorithm, $0) }
    }
    let trailers = (request.header("x-amz-trailer") ?? "").lowercased().split(separator: ",").map {
      $0.filter { $0 != " " }
    }
    trailing = ChecksumAlgorithm.withHeader.filter { trailers.contains($0.header) }
  }

  /// Small bodies whole, as those with XML.
  func whole(limit: Int) throws(AWSError) -> ByteBuffer {
    guard !isTooLarge, file == nil, fault == nil, bytes.readableBytes <= limit else { throw .malformedXML() }
    var content = ByteBuffer()
    _ = try take { bytes throws(Fault) in content.writeBytes(bytes) }
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

  /// Of the checksums that the client says or will say.
  var algorithms: [ChecksumAlgorithm] { checksums.map(\.algorithm) + trailing }

  /// Writes the content into a file. Blocks.
  /// - Parameter algorithm: of the checksum that is made even if the client says none.
  func store(in files: S3Files, summing algorithm: ChecksumAlgorithm? = nil) throws(AWSError) -> S3Draft {
    guard !isTooLarge else { throw .s3TooLarge() }
    if let fault { throw .service("\(fault)") }
    var taken: Taken?
    let name = try files.create { append throws(AWSError) in taken = try take(append, summing: algorithm) }
    guard let taken else { preconditionFailure("a file is made of a body that was taken") }
    var draft = S3Draft(size: taken.size, etag: Digest.hex(taken.md5), file: name)
    draft.checksum = taken.checksum
    return draft
  }

  private struct Taken {
    var size = 0
    var md5: [UInt8] = []
    var checksum: (algorithm: String, value: String)?
  }

  /// Gives the decoded content, and checks it.
  private func take(
    _ append: (UnsafeRawBufferPointer) throws(Fault) -> Void, summing algorithm: ChecksumAlgorithm? = nil
  ) throws(AWSError) -> Taken {
    var taken = Taken()
    let md5 = DigestStream(.md5)
    let signed = sha256.map { _ in DigestStream(.sha256) }
    let wanted = algorithms.isEmpty ? algorithm.map { [$0] } ?? [] : algorithms
    let streams = Set(wanted).map { DigestStream($0) }
    let consume = { (bytes: UnsafeRawBufferPointer) throws(Fault) in
      taken.size += bytes.count
      md5.append(bytes)
      signed?.append(bytes)
      for stream in streams { stream.append(bytes) }
      try append(bytes)
    }
    let trailers = try decode(consume)
    if let decodedLength, decodedLength != taken.size { throw .incompleteBody() }

    taken.md5 = md5.finish()
    if let contentMD5 {
      guard let given = Base64.decode(contentMD5), given.readableBytes == 16 else { throw .invalidDigest(contentMD5) }
      guard Array(given.readableBytesView) == taken.md5 else { throw .badDigest("Content-MD5") }
    }
    if let sha256, let signed {
      let computed = Digest.hex(signed.finish())
      guard computed == sha256 else { throw .payloadDigestMismatch(given: sha256, computed: computed) }
    }
    for stream in streams {
      let computed = Base64.encode(stream.finish())
      let said =
        checksums.filter { $0.algorithm == stream.algorithm }.map(\.value)
        + trailers.filter { $0.name == stream.algorithm.header }.map(\.value)
      if let wrong = said.first(where: { !stream.algorithm.isValue($0) }) {
        throw .invalidChecksum(stream.algorithm.header, wrong)
      }
      guard said.allSatisfy({ $0 == computed }) else { throw .badDigest(stream.algorithm.rawValue) }
      taken.checksum = (stream.algorithm.rawValue, computed)
    }
    return taken
  }

  private func decode(
    _ consume: (UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(AWSError) -> [(name: String, value: String)] {
    var chunks = AWSChunks()
    do throws(ChunkProblem<Fault>) {
      try forEachPiece { piece throws(ChunkProblem<Fault>) in
        if isChunked {
          try chunks.append(piece, consume)
        } else {
          do throws(Fault) { try consume(piece) } catch { throw .body(error) }
        }
      }
    } catch {
      switch error {
      case .flaw: throw .incompleteBody()
      case .body(let fault): throw .service("\(fault)")
      }
    }
    if isChunked, !chunks.isComplete { throw .incompleteBody() }
    return chunks.trailers
  }

  private func forEachPiece(
    _ body: (UnsafeRawBufferPointer) throws(ChunkProblem<Fault>) -> Void
  ) throws(ChunkProblem<Fault>) {
    guard let file else {
      let result = bytes.withUnsafeReadableBytes { raw in
        Result { () throws(ChunkProblem<Fault>) in try body(raw) }
      }
      return try result.get()
    }
    var problem: ChunkProblem<Fault>?
    do throws(Fault) {
      try file.forEachPiece { piece throws(Fault) in
        do throws(ChunkProblem<Fault>) {
          try body(piece)
        } catch {
          problem = error
          throw Fault("body")
        }
      }
    } catch {
      throw problem ?? .body(error)
    }
  }
}

extension ChecksumAlgorithm {
  /// True of a text that may be a checksum: base64 of the right length.
  func isValue(_ text: String) -> Bool {
    let length = [Self.crc32: 4, .crc32c: 4, .crc64nvme: 8, .md5: 16, .sha1: 20, .sha256: 32][self]
    return Base64.decode(text)?.readableBytes == length
  }
}
