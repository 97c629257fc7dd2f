// Amazon CloudWatch Logs: the words that its callers and its embedded implementation share.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html
import MartletCore

/// The namespace of the operations, which are answered in MartletCloud.
package enum Logs {
  package static let groupPattern = Pattern(#"[\.\-_/#A-Za-z0-9]+"#)
  package static let streamPattern = Pattern("[^:*]*")
  /// Bytes that every event counts beside its text, and what a batch may have.
  package static let eventOverhead = 26
  package static let largestBatch = 1_048_576
}

extension Members {
  package func logGroup() -> String { required("logGroupName", .length(1, 512), .pattern(Logs.groupPattern)) }

  package func logStream() -> String { required("logStreamName", .length(1, 512), .pattern(Logs.streamPattern)) }
}
