// An instance profile: the envelope in which a role is given to a machine. Nothing here uses it; tools ask for it.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_InstanceProfile.html
import MartletCore
import MartletStore
import MartletWire

struct IAMInstanceProfile: IAMResource {
  static let kind = "iam-instance-profile"
  static let noun = IAMNoun(word: "instance-profile", title: "InstanceProfile", prefix: "AIPA", longest: 128)
  static func catalogue(_ iam: IAMService) -> Catalogue<IAMInstanceProfile> { iam.instanceProfiles }

  var key: ResourceKey
  var entity: IAMEntity
  /// The name of its role.
  var role: String?

  init(key: ResourceKey, entity: IAMEntity) {
    self.key = key
    self.entity = entity
  }

  init?(json: JSONValue, key: ResourceKey) {
    guard let entity = IAMEntity(json: json["entity"]) else { return nil }
    self.init(key: key, entity: entity)
    role = json["role"]?.string
  }

  var json: JSONValue { .members(("entity", entity.json), ("role", role.map { .string($0) })) }

  func write(to w: inout MemberWriter) { write(to: &w, roles: []) }

  func write(to w: inout MemberWriter, roles: [IAMRole]) {
    writeEntity(to: &w)
    w.list("Roles", roles) { $1.write(to: &$0, isWhole: false) }
    writeTags(to: &w)
  }
}
