// The pure parts of S3: bodies in chunks, checksums, addresses, ranges, names of buckets, dates.
import FoundationEssentials
import MartletCore
import MartletStore
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletCloud
@testable import MartletWire

@Suite struct S3PartsTests {
  // MARK: - Bodies in chunks

  /// What is decoded of `text` when it comes in pieces of the given sizes; nil if it is refused or incomplete.
  private func decode(_ bytes: [UInt8], pieces: (Int) -> Int) -> (content: [UInt8], chunks: AWSChunks)? {
    var chunks = AWSChunks()
    var content: [UInt8] = []
    var i = 0
    while i < bytes.count {
      let count = min(bytes.count - i, max(1, pieces(i)))
      do throws(ChunkProblem<Fault>) {
        try Array(bytes[i..<(i + count)]).withUnsafeBytes { raw in
          Result { () throws(ChunkProblem<Fault>) in
            try chunks.append(raw) { (part: UnsafeRawBufferPointer) throws(Fault) in content += part }
          }
        }.get()
      } catch {
        return nil
      }
      i += count
    }
    return chunks.isComplete ? (content, chunks) : nil
  }

  private func encode(_ content: [UInt8], size: Int, trailers: [String]) -> [UInt8] {
    var out: [UInt8] = []
    var i = 0
    while i < content.count {
      let part = content[i..<min(i + size, content.count)]
      out += Array("\(String(part.count, radix: 16));chunk-signature=0\r\n".utf8) + part + [13, 10]
      i += size
    }
    return out + Array("0\r\n\(trailers.map { $0 + "\r\n" }.joined())\r\n".utf8)
  }

  @Test func chunksComeBackHoweverTheyArrive() throws {
    var random = SplitMix(seed: 11)
    for _ in 0..<300 {
      let content = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let bytes = encode(content, size: Int.random(in: 1..<50, using: &random), trailers: ["X-Amz-Checksum-CRC32: a=="])
      let decoded = try #require(decode(bytes) { _ in Int.random(in: 1..<30, using: &random) })
      #expect(decoded.content == content)
      #expect(decoded.chunks.trailers.map(\.name) == ["x-amz-checksum-crc32"])
      #expect(decoded.chunks.trailers.map(\.value) == ["a=="])
      // Everything before the last line is needed.
      let cut = Int.random(in: 0..<(bytes.count - 4), using: &random)
      #expect(decode(Array(bytes[..<cut])) { _ in 7 } == nil)
    }
  }

  /// A body is the same whether it stays in memory or is decoded and summed on its way into a file.
  @Test func bodiesAreTakenInPieces() throws {
    var random = SplitMix(seed: 12)
    for round in 0..<200 {
      let content = (0..<Int.random(in: 0..<500, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let isChunked = round % 2 == 0
      let sum = DigestStream(.crc32c)
      content.withUnsafeBytes { sum.append($0) }
      let value = Base64.encode(sum.finish())
      let trailer = "x-amz-checksum-crc32c"
      let bytes = isChunked ? encode(content, size: 17, trailers: ["\(trailer):\(value)"]) : content
      let headers: HTTPHeaders =
        isChunked ? ["Content-Encoding": "aws-chunked", "x-amz-trailer": trailer] : [trailer: value]
      let intake = S3Intake(headers)
      let draft = try DraftFile(in: "/tmp", filter: intake)
      var i = 0
      while i < bytes.count {
        let count = min(bytes.count - i, Int.random(in: 1..<60, using: &random))
        try Array(bytes[i..<(i + count)]).withUnsafeBytes { try draft.append($0) }
        i += count
      }
      let file = draft.finish()
      var written: [UInt8] = []
      try file.forEachPiece { piece throws(Fault) in written += piece }
      let digests = intake.finish()
      #expect(written == content && intake.size == content.count && !intake.isFlawed)
      #expect(digests.sums.map(\.algorithm) == [.crc32c] && digests.sums.map(\.value) == [value])
      #expect(intake.trailers.map(\.value) == (isChunked ? [value] : []))
    }
  }

  /// A file without a name gets one; what has lost its name, or lies elsewhere, must be copied.
  @Test func draftsGetNames() throws {
    let directory = "/tmp/martlet-test-drafts-\(UInt64.random(in: 0...UInt64.max))"
    try Files.makeDirectory(directory)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let draft = try DraftFile(in: directory)
    try Array("content".utf8).withUnsafeBytes { try draft.append($0) }
    let file = draft.finish()
    #expect(Files.names(in: directory).isEmpty)
    guard (try? file.keep(as: "\(directory)/kept")) != nil else { return }
    #expect(try Files.read("\(directory)/kept") == Array("content".utf8))
    #expect(throws: Fault.self) { try file.keep(as: "\(directory)/kept") }
    #expect(throws: Fault.self) { try file.keep(as: "\(directory)/missing/kept") }
  }

  /// Whatever is done to the bytes, nothing is decoded that was not there, and the decoder comes back.
  @Test func damagedChunksDoNoHarm() {
    var random = SplitMix(seed: 12)
    for _ in 0..<5000 {
      let bytes = random.mutated(encode(Array("some content of an object".utf8), size: 7, trailers: ["a:b"]))
      if let decoded = decode(bytes, pieces: { _ in 5 }) { #expect(decoded.content.count <= bytes.count) }
    }
  }

  @Test(arguments: [
    "\r\n", "-1\r\n", "+1\r\nx\r\n0\r\n\r\n", "g\r\n", "1\nx\r\n0\r\n\r\n", "1\r\nxy\r\n0\r\n\r\n",
    "0\r\nno colon\r\n\r\n",
    "0\r\n\r\nmore", "ffffffffffffffff\r\n", "1\r\nx\r\n", "7fffffffffffffff\r\n",
  ])
  func noChunks(_ text: String) { #expect(decode(Array(text.utf8)) { _ in 3 } == nil) }

  @Test func endlessLinesAreRefused() {
    #expect(decode([UInt8](repeating: 48, count: 10_000)) { _ in 1000 } == nil)
  }

  // MARK: - Checksums

  private func digest(_ algorithm: ChecksumAlgorithm, _ text: String, piece: Int = 1000) -> String {
    let stream = DigestStream(algorithm)
    let bytes = Array(text.utf8)
    var i = 0
    while i < bytes.count {
      Array(bytes[i..<min(i + piece, bytes.count)]).withUnsafeBytes { stream.append($0) }
      i += piece
    }
    return Digest.hex(stream.finish())
  }

  /// The check values of the algorithms' catalogues.
  @Test(arguments: [
    (ChecksumAlgorithm.crc32, "cbf43926"), (.crc32c, "e3069283"), (.crc64nvme, "ae8b14860a799888"),
    (.md5, "25f9e794323b453885f5181f1b624d0b"), (.sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
    (.sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
  ])
  func checkValues(_ algorithm: ChecksumAlgorithm, _ expected: String) {
    for piece in [1, 3, 8, 1000] { #expect(digest(algorithm, "123456789", piece: piece) == expected) }
    let long = String(repeating: "0123456789abcdef", count: 50)
    #expect(digest(algorithm, long, piece: 7) == digest(algorithm, long))
  }

  // MARK: - Addresses

  private func address(_ uri: String, host: String) -> [String?] {
    let address = S3Address(HTTPRequest(method: .GET, uri: uri, headers: ["Host": host], body: ByteBuffer()))
    return [address.bucket.map(String.init), address.key.map(String.init)]
  }

  @Test(
    arguments: [
      ("/", "127.0.0.1:4566", nil, nil), ("/b", "127.0.0.1", "b", nil), ("/b/", "localhost:4566", "b", nil),
      ("/b/k", "localhost", "b", "k"), ("/b//k/", "h", "b", "/k/"), ("/b/a%2Fb?x=/", "h", "b", "a%2Fb"),
      ("/", "b.s3.amazonaws.com", "b", nil), ("/k/l", "b.c.s3.eu-west-1.amazonaws.com", "b.c", "k/l"),
      ("/b/k", "s3.eu-west-1.amazonaws.com", "b", "k"), ("/k", "b.s3-eu-west-1.amazonaws.com:80", "b", "k"),
      ("/k", "b.s3.localhost:4566", "b", "k"), ("/b/k", "s3.localhost:4566", "b", "k"), ("/k", "b.localhost", "b", "k"),
      ("//k", "b.localhost", "b", "/k"),
    ] as [(String, String, String?, String?)])
  func addresses(_ uri: String, _ host: String, _ bucket: String?, _ key: String?) {
    #expect(address(uri, host: host) == [bucket, key])
  }

  @Test(arguments: ["abc", "a.b-c", "123", String(repeating: "a", count: 63), "1.2.3", "256.1.1.1"])
  func goodNames(_ name: String) { #expect(S3Bucket.isValid(name)) }

  @Test(arguments: [
    "ab", "Abc", "a_b", "-ab", "ab-", "a..b", ".ab", "ab.", "1.2.3.4", String(repeating: "a", count: 64), "a b", "äbc",
  ])
  func badNames(_ name: String) { #expect(!S3Bucket.isValid(name)) }

  @Test(
    arguments: [
      ("bytes=0-0", 0..<1), ("bytes=-1", 9..<10), ("bytes=-100", 0..<10), ("bytes=9-", 9..<10),
      ("bytes=2-9223372036854775807", 2..<10), ("bytes=5-4", nil), ("bytes=a-b", nil), ("bytes=1-2,4-5", nil),
      ("bytes=", nil), ("bytes=--1", nil), ("items=0-1", nil),
    ] as [(String, Range<Int>?)])
  func ranges(_ header: String, _ range: Range<Int>?) throws {
    #expect(try S3Headers.range(header, size: 10) == range)
  }

  @Test(arguments: ["bytes=10-", "bytes=-0", "bytes=10-12"]) func rangesThatAreNotThere(_ header: String) {
    #expect(throws: AWSError.invalidRange(header, size: 10)) { try S3Headers.range(header, size: 10) }
  }

  @Test func datesComeBack() {
    var random = SplitMix(seed: 13)
    for _ in 0..<2000 {
      let time = Timestamp(milliseconds: Int64.random(in: -8_000_000_000...9_000_000_000, using: &random) * 1000)
      #expect(Timestamp(httpDate: time.httpDate) == time)
    }
    #expect(Timestamp(httpDate: "Fri, 31 Dec 9999 23:59:59 GMT") != nil)
    for text in ["", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"] {
      #expect(Timestamp(httpDate: text) == nil)
    }
  }
}
