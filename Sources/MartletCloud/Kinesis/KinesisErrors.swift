// Every refusal of Kinesis, in AWS's words where they are known.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html
import MartletCore
import MartletWire

extension AWSError {
  private static func kinesis(_ code: String, _ message: String) -> AWSError {
    AWSError(code, status: 400, message, type: nil)
  }

  static func kinesisInvalid(_ message: String) -> AWSError { kinesis("InvalidArgumentException", message) }
  private static func kinesisAbsent(_ message: String) -> AWSError { kinesis("ResourceNotFoundException", message) }
  static func kinesisLimit(_ message: String) -> AWSError { kinesis("LimitExceededException", message) }
  static func kinesisInUse(_ message: String) -> AWSError { kinesis("ResourceInUseException", message) }
  static func kinesisMode(_ message: String) -> AWSError { kinesis("ValidationException", message) }

  static func kinesisFailure(_ note: String) -> AWSError {
    AWSError("InternalFailureException", status: 500, "The processing of the request failed.", type: nil).noting(note)
  }

  static func kinesisDryRun() -> AWSError {
    kinesis("DryRunOperationException", "The request was rejected because the DryRun parameter was specified.")
  }

  // MARK: - What is not there

  static func kinesisNoStream(_ key: ResourceKey) -> AWSError {
    kinesisAbsent("Stream \(key.name) under account \(key.place.account) not found.")
  }

  static func kinesisNoShard(_ id: String, in stream: KinesisStream) -> AWSError {
    kinesisAbsent("Could not find shard \(id) in stream \(stream.key.name) under account \(stream.key.place.account).")
  }

  static func kinesisNoShardToRead(_ id: String, in stream: KinesisStream) -> AWSError {
    kinesisAbsent("Shard \(id) in stream \(stream.key.name) under account \(stream.key.place.account) does not exist")
  }

  static func kinesisNoConsumer(_ consumer: String, _ account: Account) -> AWSError {
    kinesisAbsent("Consumer \(consumer), account \(account) not found.")
  }

  static func kinesisNoResource(_ arn: String) -> AWSError { kinesisAbsent("Resource \(arn) not found.") }
  static func kinesisNoPolicy(_ arn: String) -> AWSError { kinesisAbsent("No policy found for resource \(arn).") }

  // MARK: - Limits

  static func kinesisTooManyTags() -> AWSError {
    kinesisInvalid("Failed to add tags to stream: a resource can have at most \(Kinesis.mostTags) tags.")
  }

  static func kinesisTooManyShards(_ place: Place, open: Int, more: Int) -> AWSError {
    kinesisLimit(
      "This request would exceed the shard limit for the account \(place.account) in \(place.region). "
        + "Current shard count for the account: \(open). Limit: \(Kinesis.mostShards). "
        + "Number of additional shards that would have resulted from this request: \(more). "
        + "Refer to the AWS Service Limits page (https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) "
        + "for current limits and how to request higher limits.")
  }

  /// - Parameter limit: in bytes.
  static func kinesisTooLarge(_ field: String, limit: Int) -> AWSError {
    kinesis(
      "ValidationException",
      "1 validation error detected: Value at '\(field)' failed to satisfy constraint: "
        + "Member must have length less than or equal to \(limit)")
  }

  static func kinesisRequestTooLarge() -> AWSError {
    kinesisInvalid("Records size exceeds \(Kinesis.largestRequest >> 20) MB limit")
  }

  // MARK: - Records and iterators

  static func kinesisInvalidHash(_ text: String) -> AWSError {
    kinesisInvalid(
      "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was \(text)")
  }

  /// Of a call by the door, which no constraint has seen.
  static func kinesisInvalidKey(_ key: String) -> AWSError {
    kinesis(
      "ValidationException",
      "1 validation error detected: Value '\(key)' at 'partitionKey' failed to satisfy constraint: "
        + (key.isEmpty
          ? "Member must have length greater than or equal to 1" : "Member must have length less than or equal to 256"))
  }

  static func kinesisInvalidIterator() -> AWSError { kinesisInvalid("Invalid ShardIterator.") }

  /// - Parameters:
  ///   - created: milliseconds since 1970, as is `now`.
  static func kinesisExpiredIterator(created: Int64, now: Int64) -> AWSError {
    kinesis(
      "ExpiredIteratorException",
      "Iterator expired. The iterator was created at time \(Timestamp(milliseconds: created).httpDate) while right now "
        + "it is \(Timestamp(milliseconds: now).httpDate) which is further in the future than the tolerated delay of "
        + "\(ShardIterator.life) milliseconds.")
  }

  static func kinesisInvalidToken() -> AWSError { kinesisInvalid("NextToken is not valid.") }

  static func kinesisExpiredToken() -> AWSError {
    kinesis("ExpiredNextTokenException", "The NextToken has expired. A token can be used for 300 seconds.")
  }

  // MARK: - Retention

  static func kinesisRetention(_ hours: Int) -> AWSError {
    let isShort = hours < Kinesis.retentions.lowerBound
    let bound = isShort ? Kinesis.retentions.lowerBound : Kinesis.retentions.upperBound
    return kinesisInvalid(
      "\(isShort ? "Minimum" : "Maximum") allowed retention period is \(bound) hours. "
        + "Requested retention period (\(hours) hours) is too \(isShort ? "short" : "long").")
  }

  static func kinesisRetention(_ hours: Int, of stream: KinesisStream, isIncrease: Bool) -> AWSError {
    kinesisInvalid(
      "Requested retention period (\(hours) hours) for stream \(stream.key.name) can not be "
        + "\(isIncrease ? "shorter" : "longer") than existing retention period (\(stream.retention) hours). "
        + "Use \(isIncrease ? "Decrease" : "Increase")RetentionPeriod API.")
  }
}

extension Kinesis {
  /// Of a stream or consumer.
  static let mostTags = 50
  /// Open shards of an account and region. https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
  static let mostShards = 20_000
  /// Streams of an account and region whose shards AWS manages.
  static let mostOnDemandStreams = 50
  static let mostConsumers = 20
  /// Shards that a stream of that kind begins with.
  static let onDemandShards = 4
  /// Of one stream by UpdateShardCount.
  static let mostScaledShards = 10_000
  /// Hours.
  static let retentions = 24...8760
  /// Bytes of all records of a PutRecords with their keys, and of a GetRecords's answer.
  static let largestRequest = 10 << 20
  static let largestAnswer = 10 << 20
  /// Records of one GetRecords.
  static let largestPage = 10_000
}
