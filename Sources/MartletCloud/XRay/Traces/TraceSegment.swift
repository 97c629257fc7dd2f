// A segment document, read and checked. https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
import MartletCore
import MartletWire

package struct TraceSegment: Sendable, Equatable {
  /// Why a document is not taken, as UnprocessedTraceSegments name it.
  package enum Flaw: String, Error {
    case parse = "ParseError"
    case oversized = "OversizedSegment"
    case id = "InvalidId"
    case traceID = "InvalidTraceId"
    case name = "InvalidName"
    case time = "InvalidTime"
    case parentID = "InvalidParentId"

    package var message: String { "Invalid segment. ErrorCode: \(rawValue)" }
  }

  /// Bytes of one document.
  static let largest = 64 * 1024

  /// 16 hexadecimal digits.
  package let id: String
  let traceID: TraceID
  let parentID: String?
  package let name: String
  /// A subsegment that was sent by itself; it belongs below its parent.
  let isSubsegment: Bool
  /// Seconds since 1970.
  package let start: Double
  /// nil while it is in progress.
  package let end: Double?
  package let json: JSONValue

  /// - Throws: what is wrong with the document.
  package init(_ text: String) throws(Flaw) {
    guard text.utf8.count <= TraceSegment.largest else { throw .oversized }
    guard let json = try? JSONValue(parsing: text) else { throw .parse }
    try self.init(json)
  }

  package init(_ json: JSONValue) throws(Flaw) {
    guard json.members != nil else { throw .parse }
    guard let id = json["id"]?.string, TraceID.isHex(id, 16) else { throw .id }
    guard let traceID = json["trace_id"]?.string.flatMap({ TraceID($0) }) else { throw .traceID }
    guard let name = json["name"]?.string, !name.isEmpty, name.unicodeScalars.count <= 200 else {
      throw .name
    }
    guard let start = json["start_time"]?.number, start.isFinite, (0..<1e11).contains(start) else {
      throw .time
    }
    let end = json["end_time"]?.number
    let isInProgress = json["in_progress"]?.bool == true
    guard end.map({ $0.isFinite && (0..<1e11).contains($0) }) ?? isInProgress else { throw .time }
    var parentID = json["parent_id"]?.string
    if parentID?.isEmpty == true { parentID = nil }
    if let parentID, !TraceID.isHex(parentID, 16) { throw .parentID }
    isSubsegment = json["type"]?.string == "subsegment"
    guard parentID != nil || !isSubsegment else { throw .parentID }
    self.id = id
    self.traceID = traceID
    self.parentID = parentID
    self.name = name
    self.start = start
    self.end = isInProgress ? nil : end
    self.json = json
  }
}

/// `1-<8 hexadecimal digits: seconds since 1970>-<24 of chance>`.
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
  package let description: String
  /// Seconds since 1970.
  let epoch: Int64

  /// Also reads the 32 digits of the W3C's identifiers.
  package init?(_ text: String) {
    var text = text.lowercased()
    if TraceID.isHex(text, 32) { text = "1-\(text.prefix(8))-\(text.dropFirst(8))" }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "1", TraceID.isHex(parts[1], 8),
      TraceID.isHex(parts[2], 24),
      let epoch = Int64(parts[1], radix: 16)
    else { return nil }
    description = text
    self.epoch = epoch
  }

  static func isHex(_ text: some StringProtocol, _ count: Int) -> Bool {
    text.utf8.count == count
      && text.utf8.allSatisfy {
        (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0)
      }
  }
}
