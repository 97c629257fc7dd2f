// The bytes of a request as they come: decoded, measured, summed; from memory, or on their way into a file.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
import MartletCore
import MartletWire
import NIOHTTP1

package final class S3Intake: DraftFilter, @unchecked Sendable {
  // `@unchecked`: whoever holds it hands it from one thread to the next, and never uses it from two at a time.
  /// Of the content, in bytes.
  private(set) var size = 0
  /// The body is in chunks, and no chunks that can be read.
  private(set) var isFlawed = false
  /// What followed the last chunk.
  var trailers: [(name: String, value: String)] { chunks?.trailers ?? [] }

  private var chunks: AWSChunks?
  private let md5 = DigestStream(.md5)
  private let sha256: DigestStream?
  private let streams: [DigestStream]

  /// - Parameters:
  ///   - headers: of the request.
  ///   - algorithm: of the checksum that is made if the client says none.
  package init(_ headers: HTTPHeaders, summing algorithm: ChecksumAlgorithm? = .crc64nvme) {
    let said = S3Intake.said(headers)
    let wanted = said.isEmpty ? algorithm.map { [$0] } ?? [] : said
    streams = Set(wanted).map { DigestStream($0) }
    sha256 = S3Intake.signed(headers) == nil ? nil : DigestStream(.sha256)
    chunks = S3Intake.isChunked(headers) ? AWSChunks() : nil
  }

  /// The checksums that a client says in front of its body, or will say behind it.
  static func said(_ headers: HTTPHeaders) -> [ChecksumAlgorithm] {
    let trailing = headers[canonicalForm: "x-amz-trailer"].map { $0.lowercased() }
    return ChecksumAlgorithm.withHeader.filter {
      headers.contains(name: $0.header) || trailing.contains($0.header)
    }
  }

  /// The digest of the body that the client signed, in hexadecimal; nil if it signed none.
  static func signed(_ headers: HTTPHeaders) -> String? {
    headers.first(name: "x-amz-content-sha256").flatMap { $0.utf8.count == 64 ? $0.lowercased() : nil }
  }

  static func isChunked(_ headers: HTTPHeaders) -> Bool {
    headers.first(name: "x-amz-content-sha256")?.hasPrefix("STREAMING-") == true
      || headers.first(name: "Content-Encoding")?.contains("aws-chunked") == true
  }

  package func append(
    _ bytes: UnsafeRawBufferPointer, _ write: (UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(Fault) {
    guard chunks != nil else { return try take(bytes, write) }
    guard !isFlawed else { return }
    do throws(ChunkProblem<Fault>) {
      try chunks?.append(bytes) { content throws(Fault) in try take(content, write) }
    } catch {
      switch error {
      case .flaw: isFlawed = true
      case .body(let fault): throw fault
      }
    }
  }

  private func take(
    _ content: UnsafeRawBufferPointer, _ write: (UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(Fault) {
    size += content.count
    md5.append(content)
    sha256?.append(content)
    for stream in streams { stream.append(content) }
    try write(content)
  }

  /// Nothing more comes. The digests can be had once.
  func finish() -> Digests {
    if let chunks, !chunks.isComplete { isFlawed = true }
    return Digests(
      md5: md5.finish(), sha256: sha256.map { Digest.hex($0.finish()) },
      sums: streams.map { ($0.algorithm, Base64.encode($0.finish())) })
  }

  struct Digests {
    let md5: [UInt8]
    /// In hexadecimal; nil if nobody signed one.
    let sha256: String?
    /// In base64.
    let sums: [(algorithm: ChecksumAlgorithm, value: String)]
  }
}
