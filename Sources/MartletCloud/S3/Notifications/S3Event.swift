// What happened to an object, and how it is told: S3's own record, and the event of EventBridge.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
import MartletCore
import MartletWire

struct S3Event: Sendable {
  enum Kind: Sendable, Equatable {
    enum Creation: String, Sendable {
      case put = "Put"
      case post = "Post"
      case copy = "Copy"
      case completeMultipartUpload = "CompleteMultipartUpload"
    }

    case created(Creation)
    case deleted(byMarker: Bool)
    /// By a rule of the bucket's lifecycle.
    case expired(byMarker: Bool)
    case taggingPut
    case taggingDeleted
    case accessListPut
    case retentionPut
  }

  let kind: Kind
  let bucket: S3Bucket
  let object: S3Object
  let time: Timestamp
  /// Tells the order of events of one key. nil where S3 has none.
  let sequence: Int64?
  let call: Call

  init(_ kind: Kind, _ bucket: S3Bucket, _ object: S3Object, at time: Timestamp, sequence: Int64? = nil, _ call: Call) {
    self.kind = kind
    self.bucket = bucket
    self.object = object
    self.time = time
    self.sequence = sequence
    self.call = call
  }

  /// `ObjectCreated:Put`
  var name: String {
    switch kind {
    case .created(let how): "ObjectCreated:\(how.rawValue)"
    case .deleted(let byMarker): "ObjectRemoved:\(byMarker ? "DeleteMarkerCreated" : "Delete")"
    case .expired(let byMarker): "LifecycleExpiration:\(byMarker ? "DeleteMarkerCreated" : "Delete")"
    case .taggingPut: "ObjectTagging:Put"
    case .taggingDeleted: "ObjectTagging:Delete"
    case .accessListPut: "ObjectAcl:Put"
    case .retentionPut: "ObjectRetention:Put"
    }
  }

  private var version: String {
    switch kind {
    case .created, .deleted: "2.1"
    default: "2.3"
    }
  }

  private var sequencer: JSONValue? {
    sequence.map { number in
      let digits = String(number, radix: 16, uppercase: true)
      return .string(String(repeating: "0", count: max(0, 18 - digits.count)) + digits)
    }
  }

  private var hasTag: Bool {
    switch kind {
    case .deleted(let byMarker), .expired(let byMarker): byMarker
    default: true
    }
  }

  private var size: JSONValue? { if case .created = kind { .integer(Int64(object.size)) } else { nil } }
  /// A marker's is that of nothing.
  private var tag: JSONValue? {
    hasTag ? .string(object.isMarker ? "d41d8cd98f00b204e9800998ecf8427e" : object.etag) : nil
  }
  private var shownVersion: JSONValue? { object.shownVersion(in: bucket).map { .string($0) } }

  /// `{"Records":[…]}` for one rule.
  func records(rule: String) -> String {
    let request = JSONValue.string(call.requestID.description)
    let record = JSONValue.members(
      ("eventVersion", .string(version)), ("eventSource", .string("aws:s3")),
      ("awsRegion", .string(bucket.place.region.name)), ("eventTime", .string(time.iso8601)),
      ("eventName", .string(name)), ("userIdentity", .members(("principalId", .string(call.s3Principal)))),
      ("requestParameters", .members(("sourceIPAddress", .string(call.sourceAddress)))),
      ("responseElements", .members(("x-amz-request-id", request), ("x-amz-id-2", request))),
      (
        "s3",
        .members(
          ("s3SchemaVersion", .string("1.0")), ("configurationId", .string(rule)),
          (
            "bucket",
            .members(
              ("name", .string(bucket.name)),
              ("ownerIdentity", .members(("principalId", .string(bucket.place.account.customerID)))),
              ("arn", .string("arn:aws:s3:::\(bucket.name)")))
          ),
          (
            "object",
            .members(
              ("key", .string(S3Event.encoded(object.key))), ("size", size), ("eTag", tag),
              ("versionId", shownVersion), ("sequencer", sequencer))
          ))
      ))
    return JSONValue.members(("Records", .array([record]))).text
  }

  /// As forms are encoded, but slashes stay: `a b/c+d` is `a+b/c%2Bd`.
  static func encoded(_ key: String) -> String {
    var out = ""
    for byte in key.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "*"),
        UInt8(ascii: "/"):
        out.unicodeScalars.append(UnicodeScalar(byte))
      case UInt8(ascii: " "): out += "+"
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        out += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return out
  }

  // MARK: - EventBridge

  /// nil for what EventBridge is not told.
  var entry: EventBridge.PutEvents.Entry? {
    let type: String
    var reason: String?
    var deletion: String?
    switch kind {
    case .created(let how):
      type = "Object Created"
      reason = how == .put ? "PutObject" : how == .post ? "POST Object" : how == .copy ? "CopyObject" : how.rawValue
    case .deleted(let byMarker), .expired(let byMarker):
      type = "Object Deleted"
      reason = if case .expired = kind { "Lifecycle Expiration" } else { "DeleteObject" }
      deletion = byMarker ? "Delete Marker Created" : "Permanently Deleted"
    case .taggingPut: type = "Object Tags Added"
    case .taggingDeleted: type = "Object Tags Deleted"
    case .accessListPut: type = "Object ACL Updated"
    case .retentionPut: return nil
    }
    let detail = JSONValue.members(
      ("version", .string("0")), ("bucket", .members(("name", .string(bucket.name)))),
      (
        "object",
        .members(
          ("key", .string(object.key)), ("size", size), ("etag", tag), ("version-id", shownVersion),
          ("sequencer", sequencer))
      ),
      ("request-id", .string(call.requestID.description)), ("requester", .string(call.s3Requester)),
      ("source-ip-address", call.isService ? nil : .string(call.sourceAddress)),
      ("reason", reason.map { .string($0) }), ("deletion-type", deletion.map { .string($0) }))
    return EventBridge.PutEvents.Entry(
      source: "aws.s3", detailType: type, detail: detail.text, resources: ["arn:aws:s3:::\(bucket.name)"],
      time: time, traceHeader: call.traceHeader)
  }
}

extension S3Event {
  /// What queues and topics get when they become destinations.
  static func test(_ bucket: S3Bucket, at time: Timestamp, _ call: Call) -> String {
    JSONValue.members(
      ("Service", .string("Amazon S3")), ("Event", .string("s3:TestEvent")), ("Time", .string(time.iso8601)),
      ("Bucket", .string(bucket.name)), ("RequestId", .string(call.requestID.description)),
      ("HostId", .string(call.requestID.description))
    ).text
  }
}

extension Call {
  /// Who did it, as records name them.
  fileprivate var s3Principal: String {
    switch caller {
    case .service(let name), .martlet(let name): name
    case .identity(let known) where !known.isRoot: "AWS:\(known.id)"
    default: place.account.customerID
    }
  }

  fileprivate var isService: Bool { if case .service = caller { true } else { false } }

  fileprivate var s3Requester: String {
    if case .service(let name) = caller { name } else { identity.account.id }
  }
}

extension Account {
  /// The number under which Amazon knows a customer, made from the account's.
  var customerID: String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    let digest = Digest.sha256("martlet customer \(id)")
    return "A" + String(decoding: digest.prefix(13).map { letters[Int($0) % letters.count] }, as: UTF8.self)
  }
}
