// The table of the service: every operation of AWS's model, one row each.
import MartletCore
import MartletWire

extension EventBridgeService {
  package static let rows: [OperationRow<EventBridgeService>] = [
    .init(missing: .target("EventBridge.ActivateEventSource")),
    .init(EventBridge.CancelReplay.self),
    .init(missing: .target("EventBridge.CreateApiDestination")),
    .init(EventBridge.CreateArchive.self),
    .init(missing: .target("EventBridge.CreateConnection")),
    .init(missing: .target("EventBridge.CreateEndpoint")),
    .init(EventBridge.CreateEventBus.self),
    .init(missing: .target("EventBridge.CreatePartnerEventSource")),
    .init(missing: .target("EventBridge.DeactivateEventSource")),
    .init(missing: .target("EventBridge.DeauthorizeConnection")),
    .init(missing: .target("EventBridge.DeleteApiDestination")),
    .init(EventBridge.DeleteArchive.self),
    .init(missing: .target("EventBridge.DeleteConnection")),
    .init(missing: .target("EventBridge.DeleteEndpoint")),
    .init(EventBridge.DeleteEventBus.self),
    .init(missing: .target("EventBridge.DeletePartnerEventSource")),
    .init(EventBridge.DeleteRule.self),
    .init(missing: .target("EventBridge.DescribeApiDestination")),
    .init(EventBridge.DescribeArchive.self),
    .init(missing: .target("EventBridge.DescribeConnection")),
    .init(missing: .target("EventBridge.DescribeEndpoint")),
    .init(EventBridge.DescribeEventBus.self),
    .init(missing: .target("EventBridge.DescribeEventSource")),
    .init(missing: .target("EventBridge.DescribePartnerEventSource")),
    .init(EventBridge.DescribeReplay.self),
    .init(EventBridge.DescribeRule.self),
    .init(EventBridge.DisableRule.self),
    .init(EventBridge.EnableRule.self),
    .init(missing: .target("EventBridge.ListApiDestinations")),
    .init(EventBridge.ListArchives.self),
    .init(missing: .target("EventBridge.ListConnections")),
    .init(missing: .target("EventBridge.ListEndpoints")),
    .init(EventBridge.ListEventBuses.self),
    .init(missing: .target("EventBridge.ListEventSources")),
    .init(missing: .target("EventBridge.ListPartnerEventSourceAccounts")),
    .init(missing: .target("EventBridge.ListPartnerEventSources")),
    .init(EventBridge.ListReplays.self),
    .init(EventBridge.ListRuleNamesByTarget.self),
    .init(EventBridge.ListRules.self),
    .init(EventBridge.ListTagsForResource.self),
    .init(EventBridge.ListTargetsByRule.self),
    .init(EventBridge.PutEvents.self),
    .init(missing: .target("EventBridge.PutPartnerEvents")),
    .init(EventBridge.PutPermission.self),
    .init(EventBridge.PutRule.self),
    .init(EventBridge.PutTargets.self),
    .init(EventBridge.RemovePermission.self),
    .init(EventBridge.RemoveTargets.self),
    .init(EventBridge.StartReplay.self),
    .init(EventBridge.TagResource.self),
    .init(EventBridge.TestEventPattern.self),
    .init(EventBridge.UntagResource.self),
    .init(missing: .target("EventBridge.UpdateApiDestination")),
    .init(EventBridge.UpdateArchive.self),
    .init(missing: .target("EventBridge.UpdateConnection")),
    .init(missing: .target("EventBridge.UpdateEndpoint")),
    .init(EventBridge.UpdateEventBus.self),
  ]
}

extension TargetService where Service == EventBridgeService {
  /// EventBridge on the wire.
  package init(_ events: EventBridgeService, door: Door) {
    self.init(
      events, rows: EventBridgeService.rows, version: "1.1", namespace: "com.amazonaws.events", door: door)
  }
}
