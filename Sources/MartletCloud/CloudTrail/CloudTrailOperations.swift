// The table of the service: every operation of AWS's model, one row each.
import MartletCore
import MartletWire

extension CloudTrailService {
  package static let rows: [OperationRow<CloudTrailService>] = [
    .init(CloudTrail.AddTags.self),
    .init(missing: .target("CloudTrail.CancelQuery")),
    .init(missing: .target("CloudTrail.CreateChannel")),
    .init(missing: .target("CloudTrail.CreateDashboard")),
    .init(missing: .target("CloudTrail.CreateEventDataStore")),
    .init(CloudTrail.CreateTrail.self),
    .init(missing: .target("CloudTrail.DeleteChannel")),
    .init(missing: .target("CloudTrail.DeleteDashboard")),
    .init(missing: .target("CloudTrail.DeleteEventDataStore")),
    .init(missing: .target("CloudTrail.DeleteResourcePolicy")),
    .init(CloudTrail.DeleteTrail.self),
    .init(missing: .target("CloudTrail.DeregisterOrganizationDelegatedAdmin")),
    .init(missing: .target("CloudTrail.DescribeQuery")),
    .init(CloudTrail.DescribeTrails.self),
    .init(missing: .target("CloudTrail.DisableFederation")),
    .init(missing: .target("CloudTrail.EnableFederation")),
    .init(missing: .target("CloudTrail.GenerateQuery")),
    .init(missing: .target("CloudTrail.GetChannel")),
    .init(missing: .target("CloudTrail.GetDashboard")),
    .init(missing: .target("CloudTrail.GetEventConfiguration")),
    .init(missing: .target("CloudTrail.GetEventDataStore")),
    .init(CloudTrail.GetEventSelectors.self),
    .init(missing: .target("CloudTrail.GetImport")),
    .init(CloudTrail.GetInsightSelectors.self),
    .init(missing: .target("CloudTrail.GetQueryResults")),
    .init(missing: .target("CloudTrail.GetResourcePolicy")),
    .init(CloudTrail.GetTrail.self),
    .init(CloudTrail.GetTrailStatus.self),
    .init(missing: .target("CloudTrail.ListChannels")),
    .init(missing: .target("CloudTrail.ListDashboards")),
    .init(missing: .target("CloudTrail.ListEventDataStores")),
    .init(missing: .target("CloudTrail.ListImportFailures")),
    .init(missing: .target("CloudTrail.ListImports")),
    .init(missing: .target("CloudTrail.ListInsightsData")),
    .init(missing: .target("CloudTrail.ListInsightsMetricData")),
    .init(missing: .target("CloudTrail.ListPublicKeys")),
    .init(missing: .target("CloudTrail.ListQueries")),
    .init(CloudTrail.ListTags.self),
    .init(CloudTrail.ListTrails.self),
    .init(CloudTrail.LookupEvents.self),
    .init(missing: .target("CloudTrail.PutEventConfiguration")),
    .init(CloudTrail.PutEventSelectors.self),
    .init(missing: .target("CloudTrail.PutInsightSelectors")),
    .init(missing: .target("CloudTrail.PutResourcePolicy")),
    .init(missing: .target("CloudTrail.RegisterOrganizationDelegatedAdmin")),
    .init(CloudTrail.RemoveTags.self),
    .init(missing: .target("CloudTrail.RestoreEventDataStore")),
    .init(missing: .target("CloudTrail.SearchSampleQueries")),
    .init(missing: .target("CloudTrail.StartDashboardRefresh")),
    .init(missing: .target("CloudTrail.StartEventDataStoreIngestion")),
    .init(missing: .target("CloudTrail.StartImport")),
    .init(CloudTrail.StartLogging.self),
    .init(missing: .target("CloudTrail.StartQuery")),
    .init(missing: .target("CloudTrail.StopEventDataStoreIngestion")),
    .init(missing: .target("CloudTrail.StopImport")),
    .init(CloudTrail.StopLogging.self),
    .init(missing: .target("CloudTrail.UpdateChannel")),
    .init(missing: .target("CloudTrail.UpdateDashboard")),
    .init(missing: .target("CloudTrail.UpdateEventDataStore")),
    .init(CloudTrail.UpdateTrail.self),
  ]
}

extension TargetService where Service == CloudTrailService {
  /// CloudTrail on the wire.
  package init(_ trail: CloudTrailService, door: Door) {
    self.init(
      trail, rows: CloudTrailService.rows, version: "1.1",
      namespace: "com.amazonaws.cloudtrail.v20131101", door: door)
  }
}

/// An answer without members, which is an object all the same.
struct CloudTrailNothing: Writable {
  func write(to w: inout Writer) { w.body { _ in } }
}
