// A managed policy: a document in several versions, one of which is the default.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html
import MartletCore
import MartletStore
import MartletWire

struct PolicyVersion: Sendable {
  let number: Int
  let document: String
  let created: Timestamp

  var id: String { "v\(number)" }

  /// - Parameter withDocument: lists leave it out.
  func write(to w: inout MemberWriter, isDefault: Bool, withDocument: Bool) {
    if withDocument { w.member("Document", Percent.encode(document)) }
    w.member("VersionId", id)
    w.member("IsDefaultVersion", isDefault)
    w.moment("CreateDate", created)
  }
}

struct IAMPolicy: IAMResource {
  static let kind = "iam-policy"
  static let noun = IAMNoun(word: "policy", title: "Policy", prefix: "ANPA", longest: 128)
  static func catalogue(_ iam: IAMService) -> Catalogue<IAMPolicy> { iam.policies }

  var key: ResourceKey
  var entity: IAMEntity
  var updated: Timestamp
  var description: String?
  /// Oldest first.
  var versions: [PolicyVersion]
  var defaultNumber = 1
  /// Numbers are never used twice.
  var nextNumber = 2
  /// Comes with AWS and belongs to no account.
  var isAWS = false

  init(key: ResourceKey, entity: IAMEntity, document: String) {
    self.key = key
    self.entity = entity
    updated = entity.created
    versions = [PolicyVersion(number: 1, document: document, created: entity.created)]
  }

  init?(json: JSONValue, key: ResourceKey) {
    guard let entity = IAMEntity(json: json["entity"]), let list = json["versions"]?.array else { return nil }
    self.key = key
    self.entity = entity
    versions = list.map { version in
      PolicyVersion(
        number: version["number"]?.integer ?? 0, document: version["document"]?.string ?? "",
        created: Timestamp(milliseconds: Int64(version["created"]?.integer ?? 0)))
    }
    updated = Timestamp(milliseconds: Int64(json["updated"]?.integer ?? 0))
    description = json["description"]?.string
    defaultNumber = json["default"]?.integer ?? 1
    nextNumber = json["next"]?.integer ?? 2
  }

  var json: JSONValue {
    .members(
      ("entity", entity.json), ("updated", .integer(updated.milliseconds)),
      ("description", description.map { .string($0) }), ("default", .integer(Int64(defaultNumber))),
      ("next", .integer(Int64(nextNumber))),
      (
        "versions",
        .array(
          versions.map { version in
            .members(
              ("number", .integer(Int64(version.number))), ("document", .string(version.document)),
              ("created", .integer(version.created.milliseconds)))
          })
      ))
  }

  var arn: String {
    "arn:aws:iam::\(isAWS ? "aws" : key.place.account.id):policy\(entity.path)\(entity.name)"
  }

  func version(_ id: String) -> PolicyVersion? { versions.first { $0.id == id } }

  func write(to w: inout MemberWriter) { write(to: &w, use: PolicyUse(), isWhole: true) }

  /// - Parameter isWhole: with what lists of policies leave out.
  func write(to w: inout MemberWriter, use: PolicyUse, isWhole: Bool) {
    w.member("PolicyName", entity.name)
    w.member("PolicyId", entity.id)
    w.member("Arn", arn)
    w.member("Path", entity.path)
    w.member("DefaultVersionId", "v\(defaultNumber)")
    w.member("AttachmentCount", use.attachments)
    w.member("PermissionsBoundaryUsageCount", use.boundaries)
    w.member("IsAttachable", true)
    w.moment("CreateDate", entity.created)
    w.moment("UpdateDate", updated)
    guard isWhole else { return }
    w.member("Description", description)
    writeTags(to: &w)
  }
}

/// How many roles, users and groups have a policy.
struct PolicyUse: Sendable {
  var attachments = 0
  var boundaries = 0
}
