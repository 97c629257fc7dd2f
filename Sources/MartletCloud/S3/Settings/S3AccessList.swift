// Access control lists: canned, by headers, or as documents. They are kept and shown, and nobody is refused by them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
import MartletCore
import MartletStore
import MartletWire
import NIOCore

/// What a request says of who may do what.
struct S3AccessList: Sendable, Equatable {
  /// `private`, `public-read` …
  var canned: String?
  var grants: [XMLElement] = []
  /// The whole document, in the place of both.
  var document: XMLElement?

  static let canned = [
    "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read",
    "bucket-owner-full-control", "log-delivery-write",
  ]
  private static let headers = [
    ("x-amz-grant-full-control", "FULL_CONTROL"), ("x-amz-grant-read", "READ"), ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write", "WRITE"), ("x-amz-grant-write-acp", "WRITE_ACP"),
  ]
  private static let groups = "http://acs.amazonaws.com/groups"

  init() {}

  /// The name under which a bucket's is kept.
  static let kind = "acl"

  /// By the body of a request, or by its headers if it has none.
  init(byBodyOf request: HTTPRequest) throws(AWSError) {
    try self.init(request)
    let body = S3Body(request)
    guard try body.whole(limit: S3Document.limit).readableBytes > 0 else {
      guard !isEmpty else {
        throw AWSError.missingSecurityHeader()
      }
      return
    }
    guard isEmpty else { throw AWSError.unexpectedContent() }
    let policy = try S3Schema.accessControl.checked(try body.element("AccessControlPolicy"))
    guard policy.child("Owner")?["ID"] != nil else { throw AWSError.malformedACL() }
    let list = policy.child("AccessControlList")?.children ?? []
    guard list.allSatisfy({ $0.child("Grantee")?.children.isEmpty == false && $0["Permission"] != nil }) else {
      throw AWSError.malformedACL()
    }
    document = policy
  }

  /// By the headers of a request.
  init(_ request: HTTPRequest) throws(AWSError) {
    canned = request.header("x-amz-acl")
    if let canned, !S3AccessList.canned.contains(canned) {
      throw .invalidArgument("", name: "x-amz-acl", value: canned)
    }
    for (name, permission) in S3AccessList.headers {
      guard let value = request.header(name) else { continue }
      for grantee in value.split(separator: ",") {
        grants.append(try S3AccessList.grant(grantee.drop { $0 == " " }, permission, header: name))
      }
    }
    if canned != nil, !grants.isEmpty {
      throw .invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
    }
  }

  /// Nothing is said.
  var isEmpty: Bool { canned == nil && grants.isEmpty && document == nil }

  /// `id="…"`, `uri="…"` or `emailAddress="…"`.
  private static func grant(
    _ text: Substring, _ permission: String, header: String
  ) throws(AWSError) -> XMLElement {
    let parts = text.split(separator: "=", maxSplits: 1)
    let names = ["id": "ID", "uri": "URI", "emailaddress": "EmailAddress"]
    guard parts.count == 2, let name = names[parts[0].lowercased()] else {
      throw .invalidArgument("Argument format not recognized", name: header, value: String(text))
    }
    return grant(name, parts[1].filter { $0 != "\"" }, permission)
  }

  private static func grant(_ name: String, _ value: String, _ permission: String) -> XMLElement {
    XMLElement(
      "Grant",
      children: [
        XMLElement("Grantee", children: [XMLElement(name, text: value)]), XMLElement("Permission", text: permission),
      ])
  }

  /// What it says as a document.
  func policy(owner: Account) -> XMLElement {
    if let document { return document }
    let full = S3AccessList.grant("ID", owner.canonicalID, "FULL_CONTROL")
    let (everybody, users) = (
      "\(S3AccessList.groups)/global/AllUsers", "\(S3AccessList.groups)/global/AuthenticatedUsers"
    )
    var list = grants
    switch canned {
    case "public-read": list = [full, S3AccessList.grant("URI", everybody, "READ")]
    case "public-read-write":
      list = [full] + ["READ", "WRITE"].map { S3AccessList.grant("URI", everybody, $0) }
    case "authenticated-read": list = [full, S3AccessList.grant("URI", users, "READ")]
    case "log-delivery-write":
      list =
        [full] + ["WRITE", "READ_ACP"].map { S3AccessList.grant("URI", "\(S3AccessList.groups)/s3/LogDelivery", $0) }
    default: if grants.isEmpty { list = [full] }
    }
    return XMLElement(
      "AccessControlPolicy",
      children: [
        XMLElement("Owner", children: [XMLElement("ID", text: owner.canonicalID)]),
        XMLElement("AccessControlList", children: list),
      ])
  }

  /// Everybody, or everybody with an account, is among those who may do something.
  static func isPublic(_ policy: XMLElement) -> Bool {
    (policy.child("AccessControlList")?.children ?? []).contains { grant in
      grant.child("Grantee")?["URI"].map { $0.hasPrefix("\(groups)/global/") } ?? false
    }
  }

  /// Why a bucket does not take the list; nil if it does.
  /// - Parameter operation: that sets it.
  func refusal(
    in bucket: S3Bucket, _ session: SQLSession, _ call: Call, operation: String
  ) throws(Fault) -> AWSError? {
    guard !isEmpty else { return nil }
    let owner = bucket.place.account
    let policy = policy(owner: owner)
    if try session.document(of: .ownershipControls, bucket.name)?.child("Rule")?["ObjectOwnership"]
      == "BucketOwnerEnforced"
    {
      let isOwners =
        policy.child("AccessControlList")?.children == [
          S3AccessList.grant("ID", owner.canonicalID, "FULL_CONTROL")
        ]
      return isOwners && canned != "private" ? nil : .noAccessLists()
    }
    if S3AccessList.isPublic(policy),
      try session.document(of: .publicAccessBlock, bucket.name)?["BlockPublicAcls"] == "true"
    {
      return .publicListBlocked(bucket.name, call.identity.arn, operation)
    }
    return nil
  }
}
