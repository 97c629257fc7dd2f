// RemovePermission: removes a statement of a bus's policy, or all of them.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RemovePermission.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum RemovePermission: Operation {
    static let route = Route.target("EventBridge.RemovePermission")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let bus: BusReference
      let statement: String?
      let isAll: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        statement = m.string("StatementId", .length(1, 64), .pattern(Pattern("[a-zA-Z0-9-_]+")))
        isAll = m.bool("RemoveAllPermissions") ?? false
        bus = BusReference(m.string("EventBusName", as: EventBridgeName.plainBus))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Empty {
      try await events.change(input.bus.key(call)) { (bus: inout EventBus) throws(AWSError) in
        if input.isAll {
          bus.policy = nil
          return
        }
        guard let statement = input.statement else {
          throw .eventsInvalid("Parameter StatementId must be specified.")
        }
        guard bus.policy != nil else { throw .eventsNoPolicy() }
        let old = BusPolicy.statements(bus)
        let left = old.filter { $0["Sid"]?.string != statement }
        guard left.count < old.count else { throw .eventsNoStatement() }
        bus.policy = left.isEmpty ? nil : BusPolicy.text(left)
      }
      return Empty()
    }
  }
}
