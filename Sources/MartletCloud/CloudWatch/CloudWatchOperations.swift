// The table of the service: every operation of AWS's model, one row each, and its three protocols.
import MartletCore
import MartletWire
import NIOCore

extension CloudWatchService {
  /// The API's version, which clients of the query protocol send as `Version`.
  package static let version = "2010-08-01"
  package static let namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/"

  package static let rows: [OperationRow<CloudWatchService>] = [
    .init(missing: .target("CloudWatch.AssociateDatasetKmsKey")),
    .init(missing: .target("CloudWatch.CreateResourceMetricsConfiguration")),
    .init(missing: .target("CloudWatch.DeleteAlarmMuteRule")),
    .init(CloudWatch.DeleteAlarms.self),
    .init(missing: .target("CloudWatch.DeleteAnomalyDetector")),
    .init(CloudWatch.DeleteDashboards.self),
    .init(missing: .target("CloudWatch.DeleteInsightRules")),
    .init(missing: .target("CloudWatch.DeleteMetricDataQueryDefinition")),
    .init(missing: .target("CloudWatch.DeleteMetricStream")),
    .init(missing: .target("CloudWatch.DeleteResourceMetricsConfiguration")),
    .init(missing: .target("CloudWatch.DescribeAlarmContributors")),
    .init(CloudWatch.DescribeAlarmHistory.self),
    .init(CloudWatch.DescribeAlarms.self),
    .init(CloudWatch.DescribeAlarmsForMetric.self),
    .init(missing: .target("CloudWatch.DescribeAnomalyDetectors")),
    .init(missing: .target("CloudWatch.DescribeInsightRules")),
    .init(CloudWatch.DisableAlarmActions.self),
    .init(missing: .target("CloudWatch.DisableInsightRules")),
    .init(missing: .target("CloudWatch.DisassociateDatasetKmsKey")),
    .init(CloudWatch.EnableAlarmActions.self),
    .init(missing: .target("CloudWatch.EnableInsightRules")),
    .init(missing: .target("CloudWatch.GetAlarmMuteRule")),
    .init(CloudWatch.GetDashboard.self),
    .init(missing: .target("CloudWatch.GetDataset")),
    .init(missing: .target("CloudWatch.GetInsightRuleReport")),
    .init(CloudWatch.GetMetricData.self),
    .init(missing: .target("CloudWatch.GetMetricDataQueryDefinition")),
    .init(CloudWatch.GetMetricStatistics.self),
    .init(missing: .target("CloudWatch.GetMetricStream")),
    .init(missing: .target("CloudWatch.GetMetricWidgetImage")),
    .init(missing: .target("CloudWatch.GetOTelEnrichment")),
    .init(missing: .target("CloudWatch.GetResourceMetricsConfiguration")),
    .init(missing: .target("CloudWatch.ListAlarmMuteRules")),
    .init(CloudWatch.ListDashboards.self),
    .init(missing: .target("CloudWatch.ListManagedInsightRules")),
    .init(missing: .target("CloudWatch.ListMetricDataQueryDefinitions")),
    .init(missing: .target("CloudWatch.ListMetricStreams")),
    .init(CloudWatch.ListMetrics.self),
    .init(CloudWatch.ListTagsForResource.self),
    .init(missing: .target("CloudWatch.PutAlarmMuteRule")),
    .init(missing: .target("CloudWatch.PutAnomalyDetector")),
    .init(CloudWatch.PutCompositeAlarm.self),
    .init(CloudWatch.PutDashboard.self),
    .init(missing: .target("CloudWatch.PutInsightRule")),
    .init(missing: .target("CloudWatch.PutLogAlarm")),
    .init(missing: .target("CloudWatch.PutManagedInsightRules")),
    .init(CloudWatch.PutMetricAlarm.self),
    .init(CloudWatch.PutMetricData.self),
    .init(missing: .target("CloudWatch.PutMetricDataQueryDefinition")),
    .init(missing: .target("CloudWatch.PutMetricStream")),
    .init(CloudWatch.SetAlarmState.self),
    .init(missing: .target("CloudWatch.StartMetricStreams")),
    .init(missing: .target("CloudWatch.StartOTelEnrichment")),
    .init(missing: .target("CloudWatch.StopMetricStreams")),
    .init(missing: .target("CloudWatch.StopOTelEnrichment")),
    .init(CloudWatch.TagResource.self),
    .init(CloudWatch.UntagResource.self),
    .init(missing: .target("CloudWatch.UpdateOTelEnrichment")),
    .init(missing: .target("CloudWatch.UpdateResourceMetricsConfiguration")),
  ]
}

/// CloudWatch on the wire: CBOR if that is said, AWS JSON if a target is named, the query protocol otherwise.
package struct CloudWatchWireService: WireService {
  private let cbor: RPCService<CloudWatchService>
  private let json: TargetService<CloudWatchService>
  private let query: QueryService<CloudWatchService>

  /// Bytes of a request, once it is unpacked.
  private static let largest = 10 << 20

  package init(_ service: CloudWatchService, door: Door) {
    let (rows, codes) = (CloudWatchService.rows, CloudWatch.queryCodes)
    let namespace = "com.amazonaws.cloudwatch.v2010_08_01"
    cbor = RPCService(service, rows: rows, namespace: namespace, queryCodes: codes, door: door)
    json = TargetService(service, rows: rows, version: "1.0", namespace: namespace, queryCodes: codes, door: door)
    query = QueryService(
      service, rows: rows, version: CloudWatchService.version, namespace: CloudWatchService.namespace, codes: codes,
      door: door)
  }

  package func answer(_ request: HTTPRequest, _ call: Call) async -> HTTPReply {
    var request = request
    if request.header("Content-Encoding")?.lowercased() == "gzip" {
      guard let bytes = GzipReader.unpack(request.body, limit: CloudWatchWireService.largest) else {
        return QueryError.reply(
          to: .serialization("The request is not whole, or too large."), namespace: CloudWatchService.namespace,
          codes: CloudWatch.queryCodes, call)
      }
      request.body.clear()
      request.body.writeBytes(bytes)
    }
    if RPCService<CloudWatchService>.isMeant(by: request) { return await cbor.answer(request, call) }
    return request.header("X-Amz-Target") == nil ? await query.answer(request, call) : await json.answer(request, call)
  }
}
