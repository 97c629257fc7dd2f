// A user, with the access keys and the groups that it has.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html
import MartletCore
import MartletStore
import MartletWire

struct AccessKey: Sendable {
  /// `AKIA…`
  let id: String
  let secret: String
  let created: Timestamp
  var isActive = true

  func write(to w: inout MemberWriter, of user: String) {
    w.member("UserName", user)
    w.member("AccessKeyId", id)
    w.member("Status", isActive ? "Active" : "Inactive")
    w.moment("CreateDate", created)
  }
}

struct IAMUser: PolicyHolder {
  static let kind = "iam-user"
  static let noun = IAMNoun(word: "user", title: "User", prefix: "AIDA", longest: 64)
  static func catalogue(_ iam: IAMService) -> Catalogue<IAMUser> { iam.users }
  static func inlineLimit(_ limits: IAMLimits) -> Int { limits.inlineSizePerUser }

  var key: ResourceKey
  var entity: IAMEntity
  var policies = HeldPolicies()
  var accessKeys: [AccessKey] = []
  /// Ids of groups: their names may change.
  var groups: [String] = []

  init(key: ResourceKey, entity: IAMEntity) {
    self.key = key
    self.entity = entity
  }

  init?(json: JSONValue, key: ResourceKey) {
    guard let entity = IAMEntity(json: json["entity"]) else { return nil }
    self.init(key: key, entity: entity)
    policies = HeldPolicies(json: json["policies"])
    groups = (json["groups"]?.array ?? []).compactMap(\.string)
    accessKeys = (json["accessKeys"]?.array ?? []).map { key in
      AccessKey(
        id: key["id"]?.string ?? "", secret: key["secret"]?.string ?? "",
        created: Timestamp(milliseconds: Int64(key["created"]?.integer ?? 0)), isActive: key["active"]?.bool ?? true)
    }
  }

  var json: JSONValue {
    .members(
      ("entity", entity.json), ("policies", policies.json), ("groups", .array(groups.map { .string($0) })),
      (
        "accessKeys",
        .array(
          accessKeys.map { key in
            .members(
              ("id", .string(key.id)), ("secret", .string(key.secret)),
              ("created", .integer(key.created.milliseconds)), ("active", .bool(key.isActive)))
          })
      ))
  }

  func write(to w: inout MemberWriter) { write(to: &w, isWhole: true) }

  /// - Parameter isWhole: with what lists of users leave out.
  func write(to w: inout MemberWriter, isWhole: Bool) {
    writeEntity(to: &w)
    guard isWhole else { return }
    policies.writeBoundary(to: &w)
    writeTags(to: &w)
  }
}
