// A topic's policy as AddPermission and RemovePermission change it. It is kept; nobody is refused for it yet.
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
import MartletCore
import MartletWire

struct TopicPolicy: Sendable {
  private var members: [JSONValue.Member]
  private var statements: [JSONValue]

  private static let actions = [
    "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
    "ListSubscriptionsByTopic", "Publish",
  ]

  init(_ topic: SNSTopic) {
    let policy = try? JSONValue(parsing: topic.attributes["Policy"] ?? TopicPolicy.standard(of: topic))
    members = policy?.members?.filter { $0.name != "Statement" } ?? []
    let statement = policy?["Statement"]
    statements = statement?.array ?? (statement.map { [$0] } ?? [])
  }

  var text: String { JSONValue.object(members + [.init("Statement", .array(statements))]).text }

  /// What a topic has that was given none: its owner may do everything.
  static func standard(of topic: SNSTopic) -> String {
    JSONValue.members(
      ("Version", .string("2008-10-17")), ("Id", .string("__default_policy_ID")),
      (
        "Statement",
        .array([
          .members(
            ("Sid", .string("__default_statement_ID")), ("Effect", .string("Allow")),
            ("Principal", .members(("AWS", .string("*")))), ("Action", .array(actions.map { .string("SNS:\($0)") })),
            ("Resource", .string(topic.arn)),
            (
              "Condition",
              .members(("StringEquals", .members(("AWS:SourceOwner", .string(topic.key.place.account.id)))))
            ))
        ])
      )
    ).text
  }

  mutating func add(
    label: String, accounts: [String], actions: [String], to topic: SNSTopic
  ) throws(AWSError) {
    guard !statements.contains(where: { $0["Sid"]?.string == label }) else {
      throw .snsInvalid("Statement already exists")
    }
    guard !accounts.isEmpty, accounts.allSatisfy({ Account($0) != nil }) else { throw .snsInvalid("AWSAccountId") }
    guard !actions.isEmpty, actions.allSatisfy({ $0 == "*" || TopicPolicy.actions.contains($0) }) else {
      throw .snsInvalid("Policy statement action out of service scope!")
    }
    func one(_ values: [String]) -> JSONValue {
      values.count == 1 ? .string(values[0]) : .array(values.map { .string($0) })
    }
    statements.append(
      .members(
        ("Sid", .string(label)), ("Effect", .string("Allow")),
        ("Principal", .members(("AWS", one(accounts.map { "arn:aws:iam::\($0):root" })))),
        ("Action", one(actions.map { "SNS:\($0)" })), ("Resource", .string(topic.arn))))
  }

  mutating func remove(label: String) { statements.removeAll { $0["Sid"]?.string == label } }
}
