// A role: what somebody else may become for a while, if its trust policy says so.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html
import MartletCore
import MartletStore
import MartletWire

struct IAMRole: PolicyHolder {
  static let kind = "iam-role"
  static let noun = IAMNoun(word: "role", title: "Role", prefix: "AROA", longest: 64)
  static func catalogue(_ iam: IAMService) -> Catalogue<IAMRole> { iam.roles }
  static func inlineLimit(_ limits: IAMLimits) -> Int { limits.inlineSizePerRole }

  var key: ResourceKey
  var entity: IAMEntity
  var policies = HeldPolicies()
  /// The document as it was given.
  var trust: String
  var description: String?
  /// Seconds.
  var longestSession = 3600

  init(key: ResourceKey, entity: IAMEntity, trust: String) {
    self.key = key
    self.entity = entity
    self.trust = trust
  }

  init?(json: JSONValue, key: ResourceKey) {
    guard let entity = IAMEntity(json: json["entity"]), let trust = json["trust"]?.string else { return nil }
    self.init(key: key, entity: entity, trust: trust)
    policies = HeldPolicies(json: json["policies"])
    description = json["description"]?.string
    longestSession = json["longestSession"]?.integer ?? 3600
  }

  var json: JSONValue {
    .members(
      ("entity", entity.json), ("policies", policies.json), ("trust", .string(trust)),
      ("description", description.map { .string($0) }), ("longestSession", .integer(Int64(longestSession))))
  }

  /// Service-linked roles live below this path.
  static let servicePath = "/aws-service-role/"
  var isServiceLinked: Bool { entity.path.hasPrefix(IAMRole.servicePath) }

  func requireModifiable() throws(AWSError) {
    if isServiceLinked { throw .unmodifiable(role: entity.name) }
  }

  func write(to w: inout MemberWriter) { write(to: &w, isWhole: true) }

  /// - Parameter isWhole: with what lists of roles leave out.
  func write(to w: inout MemberWriter, isWhole: Bool) {
    writeEntity(to: &w)
    w.member("AssumeRolePolicyDocument", Percent.encode(trust))
    w.member("Description", description)
    w.member("MaxSessionDuration", longestSession)
    guard isWhole else { return }
    policies.writeBoundary(to: &w)
    writeTags(to: &w)
    w.object("RoleLastUsed") { _ in }
  }
}
