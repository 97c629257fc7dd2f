// A form of a browser: its fields, and the file behind them (RFC 7578).
import MartletCore
import MartletWire
import NIOCore

struct S3Form: Sendable {
  /// In the order in which they came; names in lower case.
  private(set) var fields: [(name: String, value: String)] = []
  /// Fields behind it are not read.
  private(set) var content: ByteBuffer?
  private(set) var filename = ""

  /// Bytes of all fields together.
  private static let largestFields = 20 << 10

  /// The first value of a field, by its name in lower case.
  subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  /// - Throws: `MalformedPOSTRequest` for what is no form.
  init(_ body: ByteBuffer, contentType: String) throws(AWSError) {
    guard let boundary = S3Form.boundary(contentType) else { throw .malformedForm() }
    let bytes = body.readableBytesView
    let edge = Array("--\(boundary)".utf8)
    var position = bytes.startIndex
    guard bytes.starts(with: edge) else { throw .malformedForm() }
    position += edge.count
    while content == nil {
      if bytes[position...].starts(with: "--".utf8) { return }
      guard bytes[position...].starts(with: "\r\n".utf8) else { throw .malformedForm() }
      position += 2
      guard let end = S3Form.find(Array("\r\n\r\n".utf8), in: bytes, from: position),
        end - position <= S3Form.largestFields,
        let next = S3Form.find(Array("\r\n".utf8) + edge, in: bytes, from: end + 4 - 2)
      else { throw .malformedForm() }
      let head = S3Form.head(String(decoding: bytes[position..<end], as: UTF8.self))
      // An empty part may end where its head does.
      let value = bytes[(end + 4)..<max(end + 4, next)]
      position = next + 2 + edge.count
      guard let name = head.name?.lowercased() else { throw .malformedForm() }
      if name == "file" {
        filename = head.filename ?? ""
        content = ByteBuffer(bytes: value)
        if let type = head.type, self["content-type"] == nil { fields.append(("content-type", type)) }
      } else {
        guard value.count <= S3Form.largestFields else { throw .malformedForm() }
        fields.append((name, String(decoding: value, as: UTF8.self)))
      }
    }
  }

  private static func boundary(_ contentType: String) -> String? {
    for part in contentType.split(separator: ";").dropFirst() {
      let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      guard pair.count == 2, pair[0].lowercased() == "boundary" else { continue }
      let text = pair[1].filter { $0 != "\"" }
      return (1...70).contains(text.utf8.count) ? text : nil
    }
    return nil
  }

  /// What stands above a part.
  private static func head(_ text: String) -> (name: String?, filename: String?, type: String?) {
    var (name, filename, type): (String?, String?, String?)
    for line in text.split(separator: "\r\n") {
      let pair = line.split(separator: ":", maxSplits: 1)
      guard pair.count == 2 else { continue }
      let value = String(pair[1].drop { $0 == " " })
      switch pair[0].lowercased() {
      case "content-type": type = value
      case "content-disposition":
        name = parameter("name", of: value)
        filename = parameter("filename", of: value)
      default: break
      }
    }
    return (name, filename, type)
  }

  /// `name="…"` among the parameters of a header.
  private static func parameter(_ name: String, of header: String) -> String? {
    guard
      let start = header.firstRange(of: "; \(name)=\"")?.upperBound ?? header.firstRange(of: ";\(name)=\"")?.upperBound,
      let end = header[start...].firstIndex(of: "\"")
    else { return nil }
    return String(header[start..<end])
  }

  private static func find(_ needle: [UInt8], in bytes: ByteBufferView, from start: Int) -> Int? {
    guard var position = bytes.indices.contains(start) ? start : nil else { return nil }
    let last = bytes.endIndex - needle.count
    while position <= last {
      guard let candidate = bytes[position...].firstIndex(of: needle[0]), candidate <= last else { return nil }
      if bytes[candidate..<(candidate + needle.count)].elementsEqual(needle) { return candidate }
      position = candidate + 1
    }
    return nil
  }
}

/// What the page that made a form allows. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
struct S3FormPolicy: Sendable {
  private let expiration: Timestamp
  private let conditions: [JSONValue]

  /// Fields that need not be mentioned.
  private static let free: Set<String> = [
    "policy", "x-amz-signature", "signature", "awsaccesskeyid", "file", "x-ignore", "content-type",
  ]

  /// - Throws: `InvalidPolicyDocument`.
  init(_ field: String) throws(AWSError) {
    guard let bytes = Base64.decode(field), let json = try? JSONValue(parsing: String(buffer: bytes)),
      let moment = json["expiration"]?.string.flatMap({ Timestamp(s3Date: $0) }),
      let conditions = json["conditions"]?.array
    else { throw .invalidPolicyDocument("Invalid Policy: Invalid JSON.") }
    expiration = moment
    self.conditions = conditions
  }

  /// - Throws: what S3 says of a form that breaks its policy.
  func check(_ form: S3Form, bucket: String, size: Int, at now: Timestamp) throws(AWSError) {
    guard now <= expiration else { throw .formRefused("Policy expired.") }
    var mentioned: Set<String> = ["bucket"]
    for condition in conditions {
      let (name, holds, shown) = try S3FormPolicy.read(condition, form, bucket)
      if let name {
        mentioned.insert(name)
        guard holds else { throw .formRefused("Policy Condition failed: \(shown)") }
      } else if let range = condition.array {
        guard size >= range[1].integer ?? 0 else { throw .formContentTooSmall(size, range[1].integer ?? 0) }
        guard size <= range[2].integer ?? .max else { throw .s3TooLarge() }
      }
    }
    let extra = form.fields.map(\.name).first { name in
      !mentioned.contains(name) && !S3FormPolicy.free.contains(name) && !name.hasPrefix("x-ignore-")
    }
    if let extra { throw .formRefused("Extra input fields: \(extra)") }
  }

  /// - Returns: the field that a condition is about (nil: the content's length), whether it holds, and how it is shown.
  private static func read(
    _ condition: JSONValue, _ form: S3Form, _ bucket: String
  ) throws(AWSError) -> (name: String?, holds: Bool, shown: String) {
    var (kind, field, wanted) = ("eq", "", "")
    if let member = condition.members?.first {
      guard let value = member.value.string else {
        throw .invalidPolicyDocument("Invalid Policy: Invalid Simple-Condition.")
      }
      (field, wanted) = (member.name.lowercased(), value)
    } else if let parts = condition.array, parts.count == 3, let word = parts[0].string?.lowercased() {
      if word == "content-length-range" { return (nil, true, "") }
      guard let name = parts[1].string, name.hasPrefix("$"), let value = parts[2].string,
        ["eq", "starts-with"].contains(word)
      else { throw .invalidPolicyDocument("Invalid Policy: Invalid Condition.") }
      (kind, field, wanted) = (word, name.dropFirst().lowercased(), value)
    } else {
      throw .invalidPolicyDocument("Invalid Policy: Invalid Condition.")
    }
    let given = field == "bucket" ? bucket : form[field] ?? ""
    let holds = kind == "eq" ? given == wanted : given.hasPrefix(wanted)
    return (field, holds, "[\"\(kind)\", \"$\(field)\", \"\(wanted)\"]")
  }
}

extension AWSError {
  static func malformedForm() -> AWSError {
    AWSError(
      "MalformedPOSTRequest", status: 400, "The body of your POST request is not well-formed multipart/form-data.")
  }

  static func formLacks(_ field: String) -> AWSError {
    .invalidArgument(
      "Bucket POST must contain a field named '\(field)'.  If it is specified, please check the order of the fields.",
      name: field, value: "")
  }

  static func invalidPolicyDocument(_ message: String) -> AWSError {
    AWSError("InvalidPolicyDocument", status: 400, message)
  }

  static func formRefused(_ reason: String) -> AWSError {
    AWSError("AccessDenied", status: 403, "Invalid according to Policy: \(reason)")
  }

  static func formContentTooSmall(_ size: Int, _ least: Int) -> AWSError {
    var error = AWSError("EntityTooSmall", status: 400, "Your proposed upload is smaller than the minimum allowed size")
    error.members = [("ProposedSize", String(size)), ("MinSizeAllowed", String(least))]
    return error
  }
}
