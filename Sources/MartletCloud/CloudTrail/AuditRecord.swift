// One event of the audit: what CloudTrail writes down of a call.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
import MartletCore
import MartletWire
import NIOCore

/// A call as the audit took it: no secret is left in what the caller said. The answer is looked at when it is written.
struct AuditEntry: Sendable {
  let route: Route
  let kind: AuditClass
  let call: Call
  let id: RequestID
  let time: Timestamp
  let agent: String?
  let credential: Credential?
  /// The signature was in the query.
  let isPresigned: Bool
  let parameters: [JSONValue.Member]
  let error: (code: String, message: String)?
  /// nil = none that is recorded.
  let answer: ByteBuffer?
  /// Moves of the clock wait for it.
  var holdsClock = false

  init(_ draft: AuditDraft, id: RequestID, time: Timestamp) {
    route = draft.route
    kind = draft.kind
    call = draft.call
    self.id = id
    self.time = time
    let request = draft.request
    agent = request.header("User-Agent")
    isPresigned = request.header("Authorization") == nil
    let header = request.header("Authorization").flatMap { Credential(authorization: $0) }
    credential =
      header
      ?? (request.query == nil
        ? nil : request.queryParameters.first { $0.name == "X-Amz-Credential" }.flatMap { Credential(scope: $0.value) })
    var redaction = AuditRedaction(service: draft.service, action: draft.route.action, isAnswer: false)
    let host = draft.service == "S3" ? request.header("Host") : nil
    parameters =
      redaction.shown(AuditEntry.input(of: draft)) + (host.map { [.init("Host", .string($0))] } ?? [])
    switch draft.outcome {
    case .refused(let refusal):
      error = (refusal.code, redaction.shown(message: refusal.message))
      answer = nil
    case .answered(let reply):
      error = nil
      let isRecorded = reply.file == nil && reply.stream == nil && AuditNames.recordsAnswer(draft.route)
      answer = isRecorded && reply.body.readableBytes > 0 ? reply.body : nil
    }
  }

  /// About how many bytes it keeps in memory.
  var size: Int { 1024 + (answer?.readableBytes ?? 0) + AuditEntry.size(.object(parameters)) }

  private static func size(_ value: JSONValue) -> Int {
    switch value {
    case .string(let text): 16 + text.utf8.count
    case .array(let elements): elements.reduce(16) { $0 + size($1) }
    case .object(let members): members.reduce(16) { $0 + $1.name.utf8.count + 16 + size($1.value) }
    default: 16
    }
  }

  /// What the caller said, by the names of the model.
  private static func input(of draft: AuditDraft) -> [JSONValue.Member] {
    let request = draft.request
    // A form names the operation among its members.
    let isForm = ["CloudWatch", "IAM", "SNS", "SQS", "STS"].contains(draft.service)
    var input = isForm ? draft.input.filter { $0.name != "Action" && $0.name != "Version" } : draft.input
    if draft.kind == .functions {
      input = input.filter { ["FunctionName", "Qualifier"].contains($0.name) }
      input.append(.init("InvocationType", .string(request.header("X-Amz-Invocation-Type") ?? "RequestResponse")))
    }
    guard draft.service == "S3" else { return input }
    input = input.map { $0.name == "Bucket" ? .init("bucketName", $0.value) : $0 }
    // Settings of buckets come as documents.
    guard draft.kind == .management, request.file == nil, request.body.readableBytes < 65_536 else { return input }
    if let element = try? XMLElement(parsing: request.body.readableBytesView) {
      input.append(.init(element.name, AuditXML.value(of: element)))
    } else if let policy = try? JSONValue(parsing: request.body) {
      input.append(.init("bucketPolicy", policy))
    }
    return input
  }
}

extension AuditDraft {
  /// `Lambda`
  var service: String { String(route.name.prefix { $0 != "." }) }
}

/// One event, whole.
struct AuditRecord: Sendable {
  let id: String
  let place: Place
  /// In milliseconds since 1970.
  let time: Int64
  let name: String
  let source: String
  let isReadOnly: Bool
  let isData: Bool
  let userName: String?
  let userARN: String?
  let accessKey: String?
  let resources: [AuditNames.Resource]
  let document: JSONValue
  /// As it is stored and delivered.
  let text: String

  /// The most that parameters or elements may take, in bytes.
  static let largestPart = 102_400

  init(_ entry: AuditEntry) {
    let (route, call) = (entry.route, entry.call)
    let service = String(route.name.prefix { $0 != "." })
    let answer = AuditRecord.answer(entry, service)
    id = entry.id.description
    place = call.place
    time = entry.time.milliseconds
    name = AuditNames.event(route)
    source = AuditClass.sources[service] ?? ""
    isData = entry.kind != .management
    isReadOnly = AuditNames.isReadOnly(route.action)
    let user = AuditUser(call, entry.credential)
    (userName, userARN, accessKey) = (user.name, user.arn, user.accessKey)
    resources =
      isData
      ? AuditRecord.dataResources(entry)
      : AuditNames.resources(service, route.action, entry.parameters, answer)
    var members = AuditRecord.head(entry, user, name: name, source: source)
    if let error = entry.error {
      members += [.init("errorCode", .string(error.code)), .init("errorMessage", .string(error.message))]
    }
    members += [
      .init("requestParameters", AuditRecord.part(entry.parameters, "requestParameters")),
      .init("responseElements", AuditRecord.part(answer, "responseElements")),
    ]
    if service == "S3", entry.credential != nil {
      let method = entry.isPresigned ? "QueryString" : "AuthHeader"
      members.append(
        .init(
          "additionalEventData",
          .members(("SignatureVersion", .string("SigV4")), ("AuthenticationMethod", .string(method)))))
    }
    members += [
      .init("requestID", .string(call.requestID.description)), .init("eventID", .string(id)),
      .init("readOnly", .bool(isReadOnly)),
    ]
    if isData {
      members.append(
        .init("resources", .array(resources.map { AuditRecord.json($0, call.place.account) })))
    }
    members += [
      .init("eventType", .string("AwsApiCall")), .init("managementEvent", .bool(!isData)),
      .init("recipientAccountId", .string(place.account.id)),
      .init("eventCategory", .string(isData ? "Data" : "Management")),
      .init("tlsDetails", .members(("clientProvidedHostHeader", .string(call.host)))),
    ]
    document = .object(members)
    text = document.text
  }

  private static func head(
    _ entry: AuditEntry, _ user: AuditUser, name: String, source: String
  ) -> [JSONValue.Member] {
    let call = entry.call
    return [
      .init("eventVersion", .string("1.11")), .init("userIdentity", user.json),
      .init("eventTime", .string(entry.time.iso8601Seconds)), .init("eventSource", .string(source)),
      .init("eventName", .string(name)), .init("awsRegion", .string(call.place.region.name)),
      .init("sourceIPAddress", .string(user.invoker ?? call.sourceAddress)),
      .init("userAgent", (user.invoker ?? entry.agent).map { .string($0) } ?? .null),
    ]
  }

  private static func json(_ resource: AuditNames.Resource, _ account: Account) -> JSONValue {
    .members(
      ("accountId", resource.type == "AWS::S3::Object" ? nil : .string(account.id)), ("type", .string(resource.type)),
      ("ARN", .string(resource.name)))
  }

  private static func part(_ members: [JSONValue.Member], _ name: String) -> JSONValue {
    if members.isEmpty { return .null }
    let size = JSONValue.object(members).text.utf8.count
    guard size > largestPart else { return .object(members) }
    return .members(
      ("omitted", .bool(true)), ("originalSize", .integer(Int64(size))), ("reason", .string("\(name) too large")))
  }

  /// What may be shown of the answer; nothing if it is none that is recorded.
  private static func answer(_ entry: AuditEntry, _ service: String) -> [JSONValue.Member] {
    guard let body = entry.answer, let first = body.getInteger(at: body.readerIndex, as: UInt8.self) else { return [] }
    let value: JSONValue?
    switch first {
    case UInt8(ascii: "{"): value = try? JSONValue(parsing: body)
    case UInt8(ascii: "<"): value = (try? XMLElement(parsing: body.readableBytesView)).map { AuditXML.value(of: $0) }
    default: value = try? JSONValue(cbor: body)
    }
    var redaction = AuditRedaction(service: service, action: entry.route.action, isAnswer: true)
    return redaction.shown(value?.members ?? [])
  }

  /// The ARNs of what a data event is about.
  private static func dataResources(_ entry: AuditEntry) -> [AuditNames.Resource] {
    func said(_ name: String) -> String? { entry.parameters.first { $0.name == name }?.value.string }
    let place = entry.call.place
    if entry.kind == .functions {
      guard let name = said("functionName") else { return [] }
      // A name, `account:function:name`, or an ARN; any of them with a qualifier.
      let parts = name.split(separator: ":").map(String.init)
      let arn: [String]
      if name.hasPrefix("arn:") {
        arn = Array(parts.prefix(7))
      } else if let mark = parts.firstIndex(of: "function"), mark + 1 < parts.count {
        arn = ["arn", "aws", "lambda", place.region.name, parts[0], "function", parts[mark + 1]]
      } else {
        arn = ["arn", "aws", "lambda", place.region.name, place.account.id, "function", parts.first ?? name]
      }
      return [.init(type: "AWS::Lambda::Function", name: arn.joined(separator: ":"))]
    }
    guard let bucket = said("bucketName") else { return [] }
    let bucketARN = "arn:aws:s3:::\(bucket)"
    return (said("key").map { [.init(type: "AWS::S3::Object", name: "\(bucketARN)/\($0)")] } ?? [])
      + [.init(type: "AWS::S3::Bucket", name: bucketARN)]
  }
}

/// Who called, in CloudTrail's words.
/// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
struct AuditUser {
  let name: String?
  let arn: String?
  let accessKey: String?
  /// The service that called.
  let invoker: String?
  let json: JSONValue

  init(_ call: Call, _ credential: Credential?) {
    let account = call.place.account
    var members: [JSONValue.Member] = []
    func add(_ name: String, _ value: String?) { if let value { members.append(.init(name, .string(value))) } }
    switch call.caller {
    case .service(let service), .martlet(let service):
      add("type", "AWSService")
      add("invokedBy", service)
      (name, arn, accessKey, invoker) = (service, nil, nil, service)
      json = .object(members)
      return
    case .anonymous:
      add("type", "AWSAccount")
      add("principalId", "")
      add("accountId", "ANONYMOUS_PRINCIPAL")
      (name, arn, accessKey, invoker) = (nil, nil, nil, nil)
      json = .object(members)
      return
    case .accessKey, .identity: break
    }
    let identity = call.identity
    let key = credential?.accessKey
    let last = identity.arn.split(separator: "/").last.map(String.init)
    let role = identity.isSession ? ARN(identity.arn)?.resource.split(separator: "/").dropFirst().first : nil
    let kind = identity.isRoot ? "Root" : identity.userName != nil ? "IAMUser" : role != nil ? "AssumedRole" : "Unknown"
    add("type", kind)
    add("principalId", identity.id)
    add("arn", identity.arn)
    add("accountId", account.id)
    add("accessKeyId", key)
    if kind == "IAMUser" { add("userName", identity.userName) }
    if let role {
      let issuer = JSONValue.members(
        ("type", .string("Role")), ("principalId", .string(String(identity.id.prefix { $0 != ":" }))),
        ("arn", .string("arn:aws:iam::\(identity.account):role/\(role)")),
        ("accountId", .string(identity.account.id)), ("userName", .string(String(role))))
      members.append(
        .init(
          "sessionContext",
          .members(("sessionIssuer", issuer), ("attributes", .members(("mfaAuthenticated", .string("false")))))))
    }
    name = identity.isRoot ? "root" : identity.userName ?? last
    (arn, accessKey, invoker) = (identity.arn, key, nil)
    json = .object(members)
  }
}

/// Documents of the query protocol and of S3 as JSON.
enum AuditXML {
  static func value(of element: XMLElement) -> JSONValue {
    let children = element.children
    guard let first = children.first else {
      return element.text == "true" ? .bool(true) : element.text == "false" ? .bool(false) : .string(element.text)
    }
    if children.allSatisfy({ $0.name == "member" }) { return .array(children.map { value(of: $0) }) }
    if first.name == "entry", children.allSatisfy({ $0.name == "entry" }) {
      return .object(children.map { .init($0["key"] ?? "", $0.child("value").map { value(of: $0) } ?? .null) })
    }
    var members: [(name: String, values: [JSONValue])] = []
    for child in children {
      if let position = members.firstIndex(where: { $0.name == child.name }) {
        members[position].values.append(value(of: child))
      } else {
        members.append((child.name, [value(of: child)]))
      }
    }
    return .object(members.map { .init($0.name, $0.values.count == 1 ? $0.values[0] : .array($0.values)) })
  }
}
