// PutPermission: adds a statement to a bus's policy, or puts a whole policy in its place.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum PutPermission: Operation {
    static let route = Route.target("EventBridge.PutPermission")
    static let stage = OperationStage.stored

    struct Condition: Sendable {
      let type: String
      let key: String
      let value: String
    }

    struct Input: Readable {
      let bus: BusReference
      let action: String?
      let principal: String?
      let statement: String?
      let condition: Condition?
      let policy: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        bus = BusReference(m.string("EventBusName", as: EventBridgeName.plainBus))
        action = m.string("Action", .length(1, 64), .pattern(Pattern("events:[a-zA-Z]+")))
        principal = m.string("Principal", .length(1, 12), .pattern(Pattern(#"(\d{12}|\*)"#)))
        statement = m.string("StatementId", .length(1, 64), .pattern(Pattern("[a-zA-Z0-9-_]+")))
        condition = m.object("Condition").map { inner in
          Condition(
            type: inner.required("Type", .length(nil, nil)), key: inner.required("Key", .length(nil, nil)),
            value: inner.required("Value", .length(nil, nil)))
        }
        policy = m.string("Policy")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Empty {
      try await events.change(input.bus.key(call)) { (bus: inout EventBus) throws(AWSError) in
        bus.policy = try policy(input, bus)
        if (bus.policy?.count ?? 0) > EventBridge.longestPolicy { throw .eventsPolicyTooLong() }
      }
      return Empty()
    }

    private static func policy(_ input: Input, _ bus: EventBus) throws(AWSError) -> String {
      if let text = input.policy {
        guard let json = try? JSONValue(parsing: text), json.members != nil, json["Statement"] != nil else {
          throw .eventsInvalid("Policy", "This policy contains invalid Json")
        }
        return json.text
      }
      guard let statement = input.statement else { throw .eventsInvalid("Parameter StatementId must be specified.") }
      guard let principal = input.principal else { throw .eventsInvalid("Parameter Principal must be specified.") }
      guard input.action == "events:PutEvents" else {
        throw .eventsInvalid("Provided value in parameter 'action' is not supported.")
      }
      let condition = input.condition.map {
        JSONValue.members(($0.type, .members(($0.key, .string($0.value)))))
      }
      let made = JSONValue.members(
        ("Sid", .string(statement)), ("Effect", .string("Allow")),
        (
          "Principal",
          principal == "*" ? .string("*") : .members(("AWS", .string("arn:aws:iam::\(principal):root")))
        ),
        ("Action", .string("events:PutEvents")), ("Resource", .string(bus.arn)), ("Condition", condition))
      let old = BusPolicy.statements(bus).filter { $0["Sid"]?.string != statement }
      return BusPolicy.text(old + [made])
    }
  }
}

/// A bus's policy as PutPermission and RemovePermission change it. It is kept; nothing is refused for it yet.
enum BusPolicy {
  static func statements(_ bus: EventBus) -> [JSONValue] {
    let statement = bus.policy.flatMap { try? JSONValue(parsing: $0) }?["Statement"]
    return statement?.array ?? statement.map { [$0] } ?? []
  }

  static func text(_ statements: [JSONValue]) -> String {
    JSONValue.members(("Version", .string("2012-10-17")), ("Statement", .array(statements))).text
  }
}
