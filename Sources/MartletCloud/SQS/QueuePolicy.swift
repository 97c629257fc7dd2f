// A queue's policy as AddPermission and RemovePermission change it. It is kept; nothing is refused for it yet.
import MartletCore
import MartletWire

struct QueuePolicy: Sendable {
  private var members: [JSONValue.Member]
  private var statements: [JSONValue]

  private static let actions: Set<String> = [
    "*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes",
    "GetQueueUrl",
    "PurgeQueue", "ListDeadLetterSourceQueues",
  ]
  private static let mostActions = 7

  init(_ queue: SQSQueue) {
    let policy = queue.attributes["Policy"].flatMap { try? JSONValue(parsing: $0) }
    members =
      policy?.members?.filter { $0.name != "Statement" } ?? [
        .init("Version", .string("2008-10-17")), .init("Id", .string("\(queue.arn)/SQSDefaultPolicy")),
      ]
    let statement = policy?["Statement"]
    statements = statement?.array ?? (statement.map { [$0] } ?? [])
  }

  /// nil if nothing is left of it.
  var text: String? {
    statements.isEmpty ? nil : JSONValue.object(members + [.init("Statement", .array(statements))]).text
  }

  static func statement(
    label: String, accounts: [String], actions: [String], arn: String
  ) throws(AWSError) -> JSONValue {
    guard SQSQueue.isName(label, longest: 80) else {
      throw .sqsInvalid(
        label, for: "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
    }
    guard !accounts.isEmpty else { throw .sqsMissing("AWSAccountIds") }
    guard !actions.isEmpty else { throw .sqsMissing("Actions") }
    if let account = accounts.first(where: { Account($0) == nil }) {
      throw .sqsInvalid(account, for: "PrincipalId", "Unable to verify.")
    }
    if let action = actions.first(where: { !QueuePolicy.actions.contains($0) }) {
      throw .sqsInvalid(action, for: "ActionName", "Only the queue owner is allowed to invoke this action.")
    }
    guard actions.count <= mostActions else {
      throw .sqsOverLimit("\(actions.count) Actions were found, maximum allowed is \(mostActions).")
    }
    func one(_ values: [String]) -> JSONValue {
      values.count == 1 ? .string(values[0]) : .array(values.map { .string($0) })
    }
    return .members(
      ("Sid", .string(label)), ("Effect", .string("Allow")),
      ("Principal", .members(("AWS", one(accounts.map { "arn:aws:iam::\($0):root" })))),
      ("Action", one(actions.map { "SQS:\($0)" })), ("Resource", .string(arn)))
  }

  mutating func add(_ statement: JSONValue, label: String) throws(AWSError) {
    guard !statements.contains(where: { $0["Sid"]?.string == label }) else {
      throw .sqsInvalid(label, for: "Label", "Already exists.")
    }
    statements.append(statement)
  }

  mutating func remove(label: String) throws(AWSError) {
    guard let position = statements.firstIndex(where: { $0["Sid"]?.string == label }) else {
      throw .sqsInvalid(label, for: "Label", "can't find label.")
    }
    statements.remove(at: position)
  }
}
