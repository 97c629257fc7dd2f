// What SDKs send to the daemon's UDP port: a header in JSON, a line end, a segment document.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
import MartletWire
import NIOCore

package enum TraceDatagram {
  /// - Throws: what is wrong with it.
  package static func segment(_ datagram: ByteBuffer) throws(TraceSegment.Flaw) -> TraceSegment {
    let bytes = datagram.readableBytesView
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { throw .parse }
    let head = bytes[..<end]
    guard head.count <= longestHead, let header = try? JSONValue(parsing: ByteBuffer(head)),
      header["format"]?.string?.lowercased() == "json", header["version"]?.integer == 1
    else { throw .parse }
    let body = bytes[(end + 1)...]
    guard body.count <= TraceSegment.largest else { throw .oversized }
    guard let json = try? JSONValue(parsing: ByteBuffer(body)) else { throw .parse }
    return try TraceSegment(json)
  }

  private static let longestHead = 256
}
