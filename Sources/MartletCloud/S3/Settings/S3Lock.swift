// Object lock: how long versions are kept from being deleted, by their bucket's rule, by their own, or by a legal hold.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
import MartletCore
import MartletWire

struct S3Lock: Sendable, Equatable {
  enum Mode: String, Sendable {
    case governance = "GOVERNANCE"
    case compliance = "COMPLIANCE"
  }

  var mode: Mode?
  var until: Timestamp?
  /// nil = nobody ever said.
  var isHeld: Bool?

  var isEmpty: Bool { self == S3Lock() }

  static let enabled = XMLElement(
    "ObjectLockConfiguration", children: [XMLElement("ObjectLockEnabled", text: "Enabled")])

  static func refusal(of document: XMLElement, _ bucket: S3Bucket) -> AWSError? {
    guard document["ObjectLockEnabled"] == "Enabled" else { return .malformedXML() }
    if let rule = document.child("Rule") {
      guard let retention = rule.child("DefaultRetention"), retention["Mode"] != nil,
        (retention.child("Days") == nil) != (retention.child("Years") == nil)
      else { return .malformedXML() }
      for name in ["Days", "Years"] {
        guard let text = retention[name], let number = Int(text) else { continue }
        guard number > 0 else {
          return .invalidArgument("Default retention period must be a positive integer value.", name: name, value: text)
        }
        guard number <= (name == "Days" ? 36_500 : 100) else {
          return .invalidArgument("Default retention period is too large.", name: name, value: text)
        }
      }
    }
    guard bucket.versioning == .enabled else {
      return .invalidBucketState(
        "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
    }
    return nil
  }

  /// What a new version gets from its bucket's configuration.
  init(byRuleOf document: XMLElement, at now: Timestamp) {
    guard let retention = document.child("Rule")?.child("DefaultRetention") else { return }
    mode = retention["Mode"].flatMap { Mode(rawValue: $0) }
    let days = retention["Days"].flatMap { Int64($0) } ?? (retention["Years"].flatMap { Int64($0) } ?? 0) * 365
    until = now + .seconds(days * 86_400)
  }

  init() {}

  /// - Throws: `InvalidArgument` for headers that make no sense.
  init(_ request: HTTPRequest, at now: Timestamp) throws(AWSError) {
    let (mode, date) = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date")
    if let text = request.header("x-amz-object-lock-legal-hold") {
      guard ["ON", "OFF"].contains(text) else {
        throw .invalidArgument("Unknown wormMode directive.", name: "x-amz-object-lock-legal-hold", value: text)
      }
      isHeld = text == "ON"
    }
    guard request.header(mode) != nil || request.header(date) != nil else { return }
    guard let modeText = request.header(mode), let dateText = request.header(date) else {
      throw .invalidArgument(
        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied", name: mode,
        value: request.header(mode) ?? "null")
    }
    guard let known = Mode(rawValue: modeText) else {
      throw .invalidArgument("Unknown wormMode directive.", name: mode, value: modeText)
    }
    guard let moment = Timestamp(s3Date: dateText) else {
      throw .invalidArgument(
        "The retain until date must be provided in ISO 8601 format", name: date, value: dateText)
    }
    guard moment > now else { throw .retainUntilThePast(dateText) }
    self.mode = known
    until = moment
  }

  /// Why a version cannot be deleted; nil if it can be.
  /// - Parameter bypasses: the caller may and wants to ignore governance.
  func refusal(at now: Timestamp, bypasses: Bool) -> AWSError? {
    if isHeld == true { return .lockedByHold() }
    guard let mode, let until, until > now else { return nil }
    return mode == .governance && bypasses ? nil : .lockedByRetention()
  }

  /// Why the retention cannot become `next`; nil if it can.
  func refusal(of next: S3Lock, at now: Timestamp, bypasses: Bool) -> AWSError? {
    guard let mode, let until, until > now else { return nil }
    if mode == .governance, bypasses { return nil }
    let isLonger = next.until.map { $0 >= until } == true
    let isAsStrong = next.mode == mode || next.mode == .compliance
    return isLonger && isAsStrong ? nil : .lockedByRetention()
  }

  var headers: [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    if let mode, let until {
      headers.append(("x-amz-object-lock-mode", mode.rawValue))
      headers.append(("x-amz-object-lock-retain-until-date", until.iso8601))
    }
    if let isHeld { headers.append(("x-amz-object-lock-legal-hold", isHeld ? "ON" : "OFF")) }
    return headers
  }
}

extension S3Lock {
  /// As it is kept with an object.
  var json: JSONValue? {
    isEmpty
      ? nil
      : .members(
        ("Mode", mode.map { .string($0.rawValue) }), ("Until", until.map { .integer($0.nanoseconds) }),
        ("Hold", isHeld.map { .bool($0) }))
  }

  init(_ json: JSONValue?) {
    mode = json?["Mode"]?.string.flatMap { Mode(rawValue: $0) }
    until = json?["Until"]?.integer.map { Timestamp(nanoseconds: Int64($0)) }
    isHeld = json?["Hold"]?.bool
  }
}
