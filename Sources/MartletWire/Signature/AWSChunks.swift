// The encoding `aws-chunked`, in which SDKs send bodies that they sign or check on the way.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html

/// Decodes piece by piece. Signatures of chunks are read over, as signatures of requests are.
package struct AWSChunks: Sendable {
  package struct Flaw: Error, Equatable {
    package let reason: String
  }

  private enum State: Equatable {
    /// The line with a chunk's size.
    case size
    /// So many bytes of a chunk are to come.
    case bytes(Int)
    /// The line end after a chunk.
    case end
    case trailers
    case done
  }

  private var state = State.size
  private var line: [UInt8] = []
  /// What follows the last chunk, such as `x-amz-checksum-crc32`; names in lower case.
  package private(set) var trailers: [(name: String, value: String)] = []

  /// A line longer than this is refused.
  static let longestLine = 4096

  package init() {}

  /// The body is complete. A body without trailers may lack the empty line at its end.
  package var isComplete: Bool { state == .done || (state == .trailers && line.isEmpty) }

  /// - Parameter body: gets what the chunks hold.
  package mutating func append<E: Error>(
    _ piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(E) -> Void
  ) throws(ChunkProblem<E>) {
    var i = 0
    while i < piece.count {
      switch state {
      case .bytes(let missing):
        let count = min(missing, piece.count - i)
        do throws(E) {
          try body(UnsafeRawBufferPointer(rebasing: piece[i..<(i + count)]))
        } catch {
          throw .body(error)
        }
        i += count
        state = count == missing ? .end : .bytes(missing - count)
      case .done: throw .flaw(Flaw(reason: "something follows the last chunk"))
      case .size, .end, .trailers:
        let byte = piece[i]
        i += 1
        guard byte == UInt8(ascii: "\n") else {
          guard line.count < AWSChunks.longestLine else { throw .flaw(Flaw(reason: "a line is too long")) }
          line.append(byte)
          continue
        }
        guard line.last == UInt8(ascii: "\r") else {
          throw .flaw(Flaw(reason: "a line ends without a carriage return"))
        }
        line.removeLast()
        do throws(Flaw) { try take(String(decoding: line, as: UTF8.self)) } catch { throw .flaw(error) }
        line.removeAll(keepingCapacity: true)
      }
    }
  }

  private mutating func take(_ line: String) throws(Flaw) {
    switch state {
    case .size:
      let digits = line.prefix { $0 != ";" }
      guard !digits.isEmpty, digits.utf8.count <= 15, digits.utf8.first.map({ $0 != 0x2b && $0 != 0x2d }) == true,
        let size = Int(digits, radix: 16)
      else { throw Flaw(reason: "a chunk has no size") }
      state = size == 0 ? .trailers : .bytes(size)
    case .end:
      guard line.isEmpty else { throw Flaw(reason: "a chunk is longer than it says") }
      state = .size
    case .trailers:
      guard !line.isEmpty else {
        state = .done
        return
      }
      guard let colon = line.firstIndex(of: ":"), trailers.count < 32 else {
        throw Flaw(reason: "a trailer has no name")
      }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      trailers.append((line[..<colon].lowercased(), String(value)))
    case .bytes, .done: preconditionFailure("lines are read between chunks")
    }
  }
}

/// The encoding is wrong, or whoever takes the bytes failed.
package enum ChunkProblem<E: Error>: Error {
  case flaw(AWSChunks.Flaw)
  case body(E)
}
