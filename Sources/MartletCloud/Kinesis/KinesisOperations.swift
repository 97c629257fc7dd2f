// The table of the service: every operation of AWS's model, one row each.
import MartletCore
import MartletWire

extension KinesisService {
  package static let rows: [OperationRow<KinesisService>] = [
    .init(missing: .target("Kinesis.AcknowledgeDeadLetterQueueRecords")),
    .init(missing: .target("Kinesis.AcknowledgeQueueRecords")),
    .init(Kinesis.AddTagsToStream.self),
    .init(missing: .target("Kinesis.CreateChannel")),
    .init(missing: .target("Kinesis.CreateQueue")),
    .init(Kinesis.CreateStream.self),
    .init(Kinesis.DecreaseStreamRetentionPeriod.self),
    .init(missing: .target("Kinesis.DeleteChannel")),
    .init(missing: .target("Kinesis.DeleteQueue")),
    .init(Kinesis.DeleteResourcePolicy.self),
    .init(Kinesis.DeleteStream.self),
    .init(Kinesis.DeregisterStreamConsumer.self),
    .init(missing: .target("Kinesis.DescribeAccountSettings")),
    .init(missing: .target("Kinesis.DescribeChannel")),
    .init(Kinesis.DescribeLimits.self),
    .init(missing: .target("Kinesis.DescribeQueue")),
    .init(Kinesis.DescribeStream.self),
    .init(Kinesis.DescribeStreamConsumer.self),
    .init(Kinesis.DescribeStreamSummary.self),
    .init(Kinesis.DisableEnhancedMonitoring.self),
    .init(Kinesis.EnableEnhancedMonitoring.self),
    .init(Kinesis.GetRecords.self),
    .init(Kinesis.GetResourcePolicy.self),
    .init(Kinesis.GetShardIterator.self),
    .init(Kinesis.IncreaseStreamRetentionPeriod.self),
    .init(missing: .target("Kinesis.ListChannels")),
    .init(missing: .target("Kinesis.ListQueues")),
    .init(Kinesis.ListShards.self),
    .init(Kinesis.ListStreamConsumers.self),
    .init(Kinesis.ListStreams.self),
    .init(Kinesis.ListTagsForResource.self),
    .init(Kinesis.ListTagsForStream.self),
    .init(Kinesis.MergeShards.self),
    .init(Kinesis.PutRecord.self),
    .init(Kinesis.PutRecords.self),
    .init(Kinesis.PutResourcePolicy.self),
    .init(missing: .target("Kinesis.ReceiveDeadLetterQueueRecords")),
    .init(missing: .target("Kinesis.ReceiveQueueRecords")),
    .init(Kinesis.RegisterStreamConsumer.self),
    .init(Kinesis.RemoveTagsFromStream.self),
    .init(missing: .target("Kinesis.RestoreDeadLetterQueueRecords")),
    .init(Kinesis.SplitShard.self),
    .init(Kinesis.StartStreamEncryption.self),
    .init(Kinesis.StopStreamEncryption.self),
    .init(Kinesis.SubscribeToShard.self),
    .init(Kinesis.TagResource.self),
    .init(Kinesis.UntagResource.self),
    .init(missing: .target("Kinesis.UpdateAccountSettings")),
    .init(missing: .target("Kinesis.UpdateChannel")),
    .init(missing: .target("Kinesis.UpdateDeadLetterQueueRecordsVisibility")),
    .init(Kinesis.UpdateMaxRecordSize.self),
    .init(missing: .target("Kinesis.UpdateQueue")),
    .init(missing: .target("Kinesis.UpdateQueueRecordsVisibility")),
    .init(Kinesis.UpdateShardCount.self),
    .init(Kinesis.UpdateStreamMode.self),
    .init(Kinesis.UpdateStreamRecordDistributionStrategy.self),
    .init(missing: .target("Kinesis.UpdateStreamWarmThroughput")),
  ]
}

extension TargetService where Service == KinesisService {
  /// Kinesis on the wire.
  package init(_ kinesis: KinesisService, door: Door) {
    self.init(
      kinesis, rows: KinesisService.rows, version: "1.1", namespace: "com.amazonaws.kinesis.v20131202", door: door)
  }
}
