// A group of users; its members are kept with the users.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Group.html
import MartletCore
import MartletStore
import MartletWire

struct IAMGroup: PolicyHolder {
  static let kind = "iam-group"
  static let noun = IAMNoun(word: "group", title: "Group", prefix: "AGPA", longest: 128)
  static func catalogue(_ iam: IAMService) -> Catalogue<IAMGroup> { iam.groups }
  static func inlineLimit(_ limits: IAMLimits) -> Int { limits.inlineSizePerGroup }

  var key: ResourceKey
  var entity: IAMEntity
  var policies = HeldPolicies()

  init(key: ResourceKey, entity: IAMEntity) {
    self.key = key
    self.entity = entity
  }

  init?(json: JSONValue, key: ResourceKey) {
    guard let entity = IAMEntity(json: json["entity"]) else { return nil }
    self.init(key: key, entity: entity)
    policies = HeldPolicies(json: json["policies"])
  }

  var json: JSONValue { .members(("entity", entity.json), ("policies", policies.json)) }

  func write(to w: inout MemberWriter) { writeEntity(to: &w) }
}
