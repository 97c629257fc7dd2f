// The managed policies that AWS ships and that deployments around functions attach; every account has them.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
import MartletCore
import MartletWire

enum AWSManagedPolicies {
  /// In the order of their names.
  static let all: [IAMPolicy] = [
    identity, streaming, data, deployment,
  ].flatMap { $0 }.map { make($0) }.sorted { $0.key.name < $1.key.name }

  private static let byARN = Dictionary(uniqueKeysWithValues: all.map { ($0.arn, $0) })

  static func find(_ arn: String) -> IAMPolicy? { byARN[arn] }

  struct Shipped {
    let path: String
    let name: String
    let description: String
    let statements: [Grant]

    init(_ name: String, path: String = "/", _ description: String, _ statements: Grant...) {
      self.path = path
      self.name = name
      self.description = description
      self.statements = statements
    }
  }

  struct Grant {
    let actions: [String]
    let resources: [String]
    /// The text of `Condition`.
    let condition: String?

    init(_ actions: String..., on resources: [String] = ["*"], condition: String? = nil) {
      self.actions = actions
      self.resources = resources
      self.condition = condition
    }
  }

  private static func make(_ shipped: Shipped) -> IAMPolicy {
    guard let account = Account("000000000000") else { preconditionFailure("twelve digits are an account") }
    let statements = shipped.statements.map { grant -> JSONValue in
      .members(
        ("Effect", .string("Allow")), ("Action", texts(grant.actions)), ("Resource", texts(grant.resources)),
        ("Condition", grant.condition.flatMap { try? JSONValue(parsing: $0) }))
    }
    let document = JSONValue.members(("Version", .string("2012-10-17")), ("Statement", .array(statements)))
    // 2015-04-09T15:03:43Z, when AWS published the first of them for functions.
    let created = Timestamp(milliseconds: 1_428_591_823_000)
    let entity = IAMEntity(
      name: shipped.name, path: shipped.path, id: IAMIdentifier.derived("ANPA", from: shipped.name), created: created)
    var policy = IAMPolicy(
      key: ResourceKey(place: IAMService.place(account), name: shipped.name.lowercased()), entity: entity,
      document: document.text)
    policy.description = shipped.description
    policy.isAWS = true
    return policy
  }

  private static func texts(_ list: [String]) -> JSONValue {
    list.count == 1 ? .string(list[0]) : .array(list.map { .string($0) })
  }

  static let serviceRole = "/service-role/"
}
